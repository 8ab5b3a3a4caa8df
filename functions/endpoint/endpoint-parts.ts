import type { Hono } from 'hono';
import { ImageDecoder } from '../../lib/image/image-decoder.js';
import { ModelLoader } from '../../lib/pipeline/model-loader.js';
import { drawTestPictures } from '../../lib/pipeline/warm-up.js';
import { attentionExactness, setAttentionKernels } from '../../lib/runtime/attention-kernels.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { EndpointStatus } from '../../lib/schemas/endpoint-status.js';
import { errorFields } from '../shared/error-fields.js';
import { log } from '../shared/log.js';
import { endpointApp } from './app.js';
import type { ModelConfig } from './config.js';
import { modelSource } from './model-source.js';
import { ModelWatch } from './model-watch.js';
import { workerUrls } from './worker-urls.js';

export interface EndpointPartsProps {
  readonly config: ModelConfig;
  /** Requests that may wait while others are drawn. */
  readonly queueLimit: number;
  /** Requests that are drawn beside each other, a picture of each in one run of the UNet. @default 1 */
  readonly maxBatchSize?: number;
  /** A request not answered by then is given up. */
  readonly deadlineMilliseconds: number;
  /** Told of each change of state, beside the log. @default nobody */
  readonly onStatus?: (status: EndpointStatus) => void;
  /** Told why a model that was ready can draw nothing any more. @default nobody */
  readonly onBroken?: (reason: unknown) => void;
}

/** The model and the routes that draw with it, whether requests come over a socket or from this process. */
export interface EndpointParts {
  readonly app: Hono;
  /** `load` is the caller's to call. */
  readonly loader: ModelLoader;
  readonly host: SessionHost;
  readonly queue: JobQueue;
  readonly watch: ModelWatch;
}

export async function endpointParts(props: EndpointPartsProps): Promise<EndpointParts> {
  const { config, queueLimit, maxBatchSize, deadlineMilliseconds, onStatus, onBroken } = props;
  // Before the thread that makes sessions begins.
  setAttentionKernels(process.env, config.attentionKernels);
  // While the model loads, whoever waits for that is told.
  const host = new SessionHost(workerUrls.session(), (reason) => {
    if (loader.pipeline) watch.giveUp(reason);
  });
  const loader = new ModelLoader({
    ...(await modelSource(config)),
    fetchWorker: workerUrls.fetch(),
    host,
    provider: config.provider,
    maxBatchSize,
    // A CPU computes all in float32.
    exactness: config.provider === 'cpu' ? undefined : attentionExactness(process.env),
    onTrouble: (what, error) => log('warn', what, errorFields(error)),
    onState: (status) => {
      log('info', `model ${status.state}`, { ...status });
      onStatus?.(status);
    },
  });
  const watch = new ModelWatch({
    selfTest: async () => loader.pipeline && drawTestPictures(loader.pipeline),
    onBroken: (reason) => {
      loader.fail(reason);
      onBroken?.(reason);
    },
  });
  const queue = new JobQueue(queueLimit, maxBatchSize);
  const app = endpointApp({
    pipeline: () => loader.pipeline,
    status: () => loader.status,
    decoder: new ImageDecoder(workerUrls.decode()),
    queue,
    watch,
    deadlineMilliseconds,
  });
  return { app, loader, host, queue, watch };
}
