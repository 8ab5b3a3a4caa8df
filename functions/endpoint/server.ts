import { serve } from '@hono/node-server';
import { ImageDecoder } from '../../lib/image/image-decoder.js';
import { ModelLoader } from '../../lib/pipeline/model-loader.js';
import { setAttentionKernels } from '../../lib/runtime/attention-kernels.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import { log } from '../shared/log.js';
import { endpointApp } from './app.js';
import { readConfig } from './config.js';
import { modelSource } from './model-source.js';
import { workerUrls } from './worker-urls.js';

/** How long a failed endpoint says why at `/ping`, before it ends and stops costing money. */
const LAST_WORDS_MS = 5_000;

// ONNX Runtime 1.29 and later otherwise report on models and sessions to its maker. Read when it is loaded.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
// The AWS SDK otherwise says in seven lines, on Node 20, what its versions of 2027 will need. Read by its first client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const config = readConfig();
// Before the thread that makes sessions begins.
setAttentionKernels(process.env, config.attentionKernels);
const { source, directory } = await modelSource(config);
const host = new SessionHost(workerUrls.session());
const loader = new ModelLoader({
  source,
  directory,
  fetchWorker: workerUrls.fetch(),
  host,
  provider: config.provider,
  // No other setting is more exact than that.
  makeSafer:
    config.provider === 'cpu' || config.attentionKernels === 'exact'
      ? undefined
      : ({ message }) => {
          log('warn', 'the self-test failed, attention is computed in float32 from now on', {
            error: message,
          });
          setAttentionKernels(process.env, 'exact');
        },
  onState: (status) => log('info', `model ${status.state}`, { ...status }),
});
const queue = new JobQueue(config.queueLimit);
const stopping = new AbortController();

const app = endpointApp({
  pipeline: () => loader.pipeline,
  status: () => loader.status,
  decoder: new ImageDecoder(workerUrls.decode()),
  queue,
  deadlineMilliseconds: config.deadlineMilliseconds,
});
const hostname = config.host === undefined ? {} : { hostname: config.host };
const server = serve({ fetch: app.fetch, port: config.port, ...hostname }, ({ port }) =>
  log('info', 'listening', { port }),
);
server.on('error', (error) => {
  log('error', `cannot listen on port ${config.port}`, { error: error.message });
  process.exit(1);
});

loader.load(stopping.signal).catch((error) => {
  if (stopping.signal.aborted) return;
  log('error', 'the model cannot be loaded', { error: error.message, retryable: error.retryable ?? false });
  // What may work later is left to whoever watches /ping; what never can is not to be paid for.
  if (!error.retryable) setTimeout(() => process.exit(1), LAST_WORDS_MS);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));

/** Answers what has been accepted, then ends; SageMaker sends SIGKILL 30 s after SIGTERM. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  log('info', 'stopping', { signal });
  stopping.abort(new Error('the endpoint is stopping'));
  const deadline = setTimeout(() => process.exit(0), config.drainMilliseconds);
  const closed = new Promise((resolve) => server.close(resolve));
  await queue.drained();
  await closed;
  await host.close();
  clearTimeout(deadline);
  log('info', 'stopped');
  process.exit(0);
}
