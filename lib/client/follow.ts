import type { GenerateAnswer, LinkedAnswer } from '../schemas/answer.js';
import type { Health as WireHealth } from '../schemas/health.js';
import type { Prediction as WirePrediction } from '../schemas/prediction.js';
import type { GetOptions, Phase } from './client.js';
import { ClientError } from './client-error.js';
import type { GeneratedImages } from './generated-images.js';
import { parseTimings } from './parse-timings.js';
import { type Patience, pause } from './patience.js';
import type { Health } from './prediction.js';
import type { Answer, ServiceConnection } from './service-connection.js';
import { problemMessage, toHealth, toImages, toProblem } from './wire.js';

/** As long as the service is willing to wait. Seconds. */
const LONG_POLL = 20;
/** From one look at a prediction to the next, where the service does not hold the first. */
const LEAST_POLL_MS = 1_000;

/**
 * Long polls until the prediction has ended.
 *
 * @throws ClientError where it has failed
 */
export async function followPrediction(
  connection: ServiceConnection,
  id: string,
  { signal, tell, retry }: Patience,
): Promise<GeneratedImages> {
  const path = predictionPath(id);
  for (;;) {
    // Only for show: a state that cannot be read is no reason to stop.
    const health = await askHealth(connection, signal).catch(() => undefined);
    tell({ phase: phaseOf(health), id, ...(health && { health }) });
    const asked = performance.now();
    const answer = await retry(() => askPrediction(connection, path, { signal, waitSeconds: LONG_POLL }));
    const prediction = answer.body as WirePrediction;
    if (prediction.status === 'succeeded') return readImages(prediction, answer);
    if (prediction.status === 'failed') {
      const problem = toProblem(prediction.error);
      throw new ClientError(problemMessage(problem), { status: problem.status, problem });
    }
    // Not every proxy hands on the wish to wait.
    const early = LEAST_POLL_MS - (performance.now() - asked);
    if (early > 0) await pause(early, signal);
  }
}

export function askPrediction(
  connection: ServiceConnection,
  path: string,
  { signal, waitSeconds = 0 }: GetOptions,
): Promise<Answer> {
  const headers: Record<string, string> = waitSeconds > 0 ? { prefer: `wait=${Math.ceil(waitSeconds)}` } : {};
  return connection.get(path, { headers, signal });
}

/** @throws ClientError for what is no id: it would lead to another path of the service */
export function predictionPath(id: string): string {
  if (typeof id === 'string' && /^\w+$/.test(id)) return `/predictions/${id}`;
  throw new ClientError('id: must be that of a prediction, as submit() gives it');
}

export async function askHealth(
  connection: ServiceConnection,
  signal: AbortSignal | undefined,
): Promise<Health> {
  const { body } = await connection.get('/health', { signal });
  return toHealth(body as WireHealth);
}

/** What an answer has in its body, and in its headers. */
export function readImages(answer: GenerateAnswer | LinkedAnswer, { headers }: Answer): GeneratedImages {
  const requestId = headers.get('x-request-id');
  const images = toImages(answer, parseTimings(headers.get('server-timing')));
  return { ...images, ...(requestId === null ? {} : { requestId }) };
}

function phaseOf(health: Health | undefined): Phase {
  if (health?.state === 'waking') return 'waking';
  return health?.state === 'ready' ? 'drawing' : 'queued';
}
