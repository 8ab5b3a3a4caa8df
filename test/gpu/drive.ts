/**
 * Loads networks as the endpoint does, in its session thread, and runs each some times, with marks in the stand-ins' log.
 *
 *   LD_LIBRARY_PATH=... STAND_IN_LOG=FILE node test/support/run-ts.mjs test/gpu/drive.ts SESSION-WORKER RUNS FOLDER...
 *
 * Prints, in one line of JSON for each folder, its outputs, which provider took each node, and the sizes of its last run.
 */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepareSessions } from '../../lib/cli/environment.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { ValueSignature } from '../../lib/runtime/session-messages.js';
import { type TensorData, toTensor } from '../../lib/runtime/tensor.js';

import type { NodeWork } from './stand-in.js';

const [worker = '', runs = '', ...folders] = process.argv.slice(2);
const log = process.env['STAND_IN_LOG'] as string;
const mark = (text: string) => appendFileSync(log, `mark\t${text}\n`);

function zeros({ type, shape }: ValueSignature): TensorData {
  const dims = shape.map((extent) => (typeof extent === 'number' ? extent : 1));
  const size = dims.reduce((product, extent) => product * extent, 1);
  return toTensor(new Float32Array(size), type, dims);
}

/** Extents by the name of a type. */
type Shape = Readonly<Record<string, readonly number[]>>;

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: {
    readonly provider?: string;
    readonly op_name?: string;
    readonly activation_size?: string;
    readonly parameter_size?: string;
    readonly output_size?: string;
    readonly input_type_shape?: readonly Shape[];
    readonly output_type_shape?: readonly Shape[];
  };
}

/** What ONNX Runtime's own trace says of each node: its provider, and the sizes of its last run. */
function readTrace(file: string): { nodes: Record<string, string[]>; work: NodeWork[] } {
  const events: ProfileEvent[] = JSON.parse(readFileSync(file, 'utf8'));
  const last = new Map<string, NonNullable<ProfileEvent['args']>>();
  for (const { cat, name, args } of events)
    if (cat === 'Node' && args?.provider) last.set(name.replace(/_kernel_time$/, ''), args);
  const nodes: Record<string, string[]> = {};
  for (const [name, { provider = '' }] of last) nodes[provider] = [...(nodes[provider] ?? []), name];
  const extents = (shapes: readonly Shape[] = []) => shapes.map((shape) => Object.values(shape)[0] ?? []);
  const work = [...last.values()].map((args) => ({
    operator: args.op_name ?? '',
    activations: Number(args.activation_size),
    parameters: Number(args.parameter_size),
    outputs: Number(args.output_size),
    inputShapes: extents(args.input_type_shape),
    outputShapes: extents(args.output_type_shape),
  }));
  return { nodes, work };
}

// As the endpoint does, before the thread that makes sessions begins.
prepareSessions();
const scratch = mkdtempSync(join(tmpdir(), 'drive-'));
const host = new SessionHost(pathToFileURL(worker));
const outputs = new Map<string, object>();
try {
  for (const folder of folders) {
    const name = basename(folder);
    mark(`${name} load`);
    const path = join(folder, 'model.onnx');
    const profilePrefix = join(scratch, name);
    const signature = await host.load(name, path, { provider: 'cuda', asIs: true, profilePrefix });
    for (let run = 1; run <= Number(runs); run++) {
      mark(`${name} ${run}`);
      await host.run(name, Object.fromEntries(signature.inputs.map((input) => [input.name, zeros(input)])));
    }
    mark('');
    outputs.set(name, signature.outputs);
  }
} finally {
  // Traces are written when sessions end.
  await host.close();
}
for (const [network, signature] of outputs) {
  const trace = readdirSync(scratch).find((file) => file.startsWith(`${network}_`)) as string;
  console.log(JSON.stringify({ network, outputs: signature, ...readTrace(join(scratch, trace)) }));
}
rmSync(scratch, { recursive: true });
