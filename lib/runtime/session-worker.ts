import { parentPort } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import { AppError } from '../errors/app-error.js';
import type {
  GraphSignature,
  LoadOptions,
  RunResult,
  SessionReply,
  SessionRequest,
  Tensors,
  ValueSignature,
} from './session-messages.js';
import type { TensorData } from './tensor.js';

// This thread owns the sessions: a run blocks its thread from the first operator to the last.
const port = parentPort;
if (!port) throw new Error('session-worker runs as a worker thread only');
// What goes wrong before there is a session, such as a provider's library that is not there, is thrown, too.
ort.env.logLevel = 'fatal';
/** Of what ONNX Runtime says: its longest messages quote a convolution's plan, some 2,000 characters. */
const MAX_REASON = 16_384;
const sessions = new Map<string, ort.InferenceSession>();

// One request at a time, in order: ONNX Runtime's `run` begins in a later turn of this thread than its call.
let turn: Promise<void> = Promise.resolve();
port.on('message', ({ id, request }: { id: number; request: SessionRequest }) => {
  turn = turn.then(async () => {
    const reply = await answer(request).then(
      (value): SessionReply => ({ id, value }),
      (error): SessionReply => ({ id, error: describeError(error) }),
    );
    port.postMessage(reply, transferables(reply));
  });
});

async function answer(request: SessionRequest): Promise<GraphSignature | RunResult | undefined> {
  switch (request.kind) {
    case 'load':
      return load(request.network, request.path, request.options);
    case 'run':
      return run(request.network, request.feeds);
    case 'release':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      return undefined;
  }
}

async function load(network: string, path: string, options: LoadOptions): Promise<GraphSignature> {
  const { provider, threads, asIs = false, profilePrefix } = options;
  // By its path, so that the weights are mapped into memory. Handed over as bytes they take ten times as long where the
  // graph is not optimised, and as long with half as much memory again where it is (test/bench/session-load.ts).
  const session = await ort.InferenceSession.create(path, {
    executionProviders: [provider],
    graphOptimizationLevel: asIs ? 'disabled' : 'all',
    // Fatal only: what goes wrong is thrown, and is told once.
    logSeverityLevel: 4,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  }).catch((cause) => {
    const reason = inOneLine(cause);
    // The library of the provider, or one that it needs, is not on this machine.
    if (reason.includes('AppendExecutionProvider'))
      throw new AppError('UNSUPPORTED', `the provider ${provider} cannot be used here: ${reason}`, { cause });
    throw new AppError('INVALID_FILE', `${path} cannot be loaded: ${reason}`, { cause });
  });
  await sessions.get(network)?.release();
  sessions.set(network, session);
  return { inputs: signatures(session.inputMetadata), outputs: signatures(session.outputMetadata) };
}

async function run(network: string, feeds: Tensors): Promise<RunResult> {
  const session = sessions.get(network);
  if (!session) throw new AppError('INTERNAL', `no session for ${network} has been loaded`);
  const inputs = Object.entries(feeds).map(([name, { type, data, dims }]) => {
    return [name, new ort.Tensor(type, data as never, dims)] as const;
  });
  const started = performance.now();
  const results = await session.run(Object.fromEntries(inputs)).catch((cause) => {
    throw new AppError('INTERNAL', `the ${network} graph cannot be run: ${inOneLine(cause)}`, { cause });
  });
  const milliseconds = performance.now() - started;
  const outputs = Object.entries(results).map(
    ([name, { type, data, dims }]) => [name, { type, data, dims }] as const,
  );
  return { outputs: Object.fromEntries(outputs) as unknown as Tensors, milliseconds };
}

function signatures(metadata: readonly ort.InferenceSession.ValueMetadata[]): ValueSignature[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'no tensor', shape: [] },
  );
}

function transferables(reply: SessionReply): ArrayBuffer[] {
  if (
    !('value' in reply) ||
    !reply.value ||
    !('outputs' in reply.value) ||
    Array.isArray(reply.value.outputs)
  ) {
    return [];
  }
  return Object.values(reply.value.outputs as Tensors).map(
    ({ data }: TensorData) => data.buffer as ArrayBuffer,
  );
}

function describeError(error: unknown): { code: AppError['code']; message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: inOneLine(error) };
}

/** All of it, in one line: what cuDNN has to say comes last. */
function inOneLine(error: unknown): string {
  const message = String(error instanceof Error ? error.message : error);
  return message.replace(/\s+/g, ' ').trim().slice(0, MAX_REASON);
}
