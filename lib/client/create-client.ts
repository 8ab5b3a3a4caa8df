import type { GenerateAnswer } from '../schemas/answer.js';
import type { Health } from '../schemas/health.js';
import type { Prediction } from '../schemas/prediction.js';
import { ClientError } from './client-error.js';
import type {
  ClientProps,
  GeneratedImages,
  GenerateInput,
  GenerateOptions,
  GenerateProgress,
} from './client-props.js';
import { decodeBase64 } from './decode-base64.js';
import { parseTimings } from './parse-timings.js';
import { randomId } from './random-id.js';
import { pause, type RetryingProps, retrying } from './retrying.js';
import { type Answer, ServiceConnection } from './service-connection.js';

const FIFTEEN_MINUTES_MS = 900_000;
/** As long as the service is willing to wait. */
const LONG_POLL = 'wait=20';
/** From one look at a prediction to the next, where the service does not hold the first. */
const LEAST_POLL_MS = 1_000;

export interface Client {
  /**
   * Draws, however long the endpoint takes to wake: waits for a picture that comes later, and asks again after
   * failures that pass, without ever drawing twice.
   *
   * @throws ClientError; the signal's reason when that is aborted
   */
  generate(input: GenerateInput, options?: GenerateOptions): Promise<GeneratedImages>;
  /** The endpoint's state. @throws ClientError */
  health(signal?: AbortSignal): Promise<Health>;
  /** Wakes the endpoint, so that a later call finds it warm. @throws ClientError */
  warmUp(signal?: AbortSignal): Promise<Health>;
}

/**
 * A client of one service, for Node and for the pages of the service's own origin: nothing but `fetch`.
 *
 * @throws ClientError for a URL or a key that no request can have
 */
export function createClient(props: ClientProps): Client {
  const connection = new ServiceConnection(props);
  return {
    generate: (input, options = {}) => generate(connection, input, options),
    health: async (signal) => (await connection.get('/health', { signal })).body as Health,
    warmUp: async (signal) => (await connection.post('/warmup', undefined, { signal })).body as Health,
  };
}

async function generate(
  connection: ServiceConnection,
  input: GenerateInput,
  options: GenerateOptions,
): Promise<GeneratedImages> {
  const { onProgress = () => undefined, idempotencyKey = randomId() } = options;
  const { timeoutMs = FIFTEEN_MINUTES_MS } = options;
  const started = performance.now();
  const tell = (progress: Omit<GenerateProgress, 'seconds'>) =>
    onProgress({ ...progress, seconds: (performance.now() - started) / 1000 });
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let last: ClientError | undefined;
  const onPause = (failure: ClientError) => {
    last = failure;
    tell({ phase: 'retrying', reason: failure.message });
  };
  const patiently = { signal, onPause };
  try {
    tell({ phase: 'sending' });
    const headers = { 'idempotency-key': idempotencyKey };
    const answer = await retrying(() => connection.post('/predict', input, { headers, signal }), patiently);
    if (answer.status !== 202) return toImages(answer.body as GenerateAnswer, answer);
    const { id } = answer.body as { id: string };
    return await follow(connection, id, patiently, tell);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (timeout.aborted) {
      const why = last ? `: ${last.message}` : '';
      throw new ClientError(`no picture came within ${timeoutMs / 1000} s${why}`, {
        retryable: true,
        cause: last ?? error,
      });
    }
    throw error;
  }
}

/** Long polls until the prediction has ended. */
async function follow(
  connection: ServiceConnection,
  id: string,
  patiently: RetryingProps,
  tell: (progress: Omit<GenerateProgress, 'seconds'>) => void,
): Promise<GeneratedImages> {
  const { signal } = patiently;
  for (;;) {
    // Only for show: a state that cannot be read is no reason to stop.
    const health = await connection.get('/health', { signal }).catch(() => undefined);
    tell({ phase: 'queued', ...(health ? { health: health.body as Health } : {}) });
    const asked = performance.now();
    const headers = { prefer: LONG_POLL };
    const answer = await retrying(() => connection.get(`/predictions/${id}`, { headers, signal }), patiently);
    const prediction = answer.body as Prediction;
    if (prediction.status === 'succeeded') return toImages(prediction, answer);
    if (prediction.status === 'failed') {
      const { error: problem } = prediction;
      throw new ClientError(problem.detail, { status: problem.status, problem });
    }
    // Not every proxy hands on the wish to wait.
    const early = LEAST_POLL_MS - (performance.now() - asked);
    if (early > 0) await pause(early, signal);
  }
}

function toImages(answer: GenerateAnswer, { headers }: Answer): GeneratedImages {
  return {
    images: (answer.results ?? [answer.result]).map(decodeBase64),
    format: answer.output_format,
    seed: answer.seed,
    steps: answer.num_steps,
    decoder: answer.decoder,
    tokensCut: answer.tokens_cut,
    ...(answer.warnings && { warnings: answer.warnings }),
    model: answer.model,
    timings: parseTimings(headers.get('server-timing')),
    requestId: headers.get('x-request-id') ?? undefined,
  };
}
