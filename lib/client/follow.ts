import type { GenerateAnswer, LinkedAnswer } from '../schemas/answer.js';
import type { Health as WireHealth } from '../schemas/health.js';
import type { Prediction as WirePrediction } from '../schemas/prediction.js';
import type { PredictionProgress } from '../schemas/predictions/prediction-progress.js';
import type { GetOptions, Phase } from './client.js';
import { ClientError } from './client-error.js';
import type { GeneratedImages } from './generated-images.js';
import { parseTimings } from './parse-timings.js';
import { type Patience, pause } from './patience.js';
import type { Health } from './prediction.js';
import { isEventStream, readEvents } from './read-events.js';
import { type Answer, readAnswer, type ServiceConnection } from './service-connection.js';
import { problemMessage, toHealth, toImages, toProblem } from './wire.js';

/** As long as the service is willing to wait. Seconds. */
const LONG_POLL = 20;
/** From one look at a prediction to the next, where the service does not hold the first. */
const LEAST_POLL_MS = 1_000;

/**
 * Follows the events of a prediction until it has ended; long polls where the service streams none, or something between
 * here and there keeps them back.
 *
 * @throws ClientError where it has failed or was canceled
 */
export async function followPrediction(
  connection: ServiceConnection,
  id: string,
  patience: Patience,
): Promise<GeneratedImages> {
  const { signal, tell, retry } = patience;
  const path = predictionPath(id);
  const stream: Stream = { isOpen: false, last: undefined };
  for (;;) {
    if (!stream.isOpen) {
      // Only for show: a state that cannot be read is no reason to stop.
      const health = await askHealth(connection, signal).catch(() => undefined);
      tell({ phase: phaseOf(health), id, ...(health && { health }) });
    }
    const asked = performance.now();
    const answer = await retry(() => look(connection, path, stream, patience));
    const prediction = answer.body as WirePrediction;
    if (prediction.status === 'succeeded') return readImages(prediction, answer);
    if (prediction.status === 'failed') {
      const problem = toProblem(prediction.error);
      throw new ClientError(problemMessage(problem), { status: problem.status, problem });
    }
    if (prediction.status === 'canceled')
      throw new ClientError('the prediction was canceled', { status: 410 });
    // Not every proxy hands on the wish to wait.
    const early = LEAST_POLL_MS - (performance.now() - asked);
    if (early > 0) await pause(early, signal);
  }
}

interface Stream {
  /** Whether the service answers with events. */
  isOpen: boolean;
  /** `id` of the last one. */
  last: string | undefined;
}

/** @returns the prediction as it has ended, or as it is when the service has waited long enough */
async function look(
  connection: ServiceConnection,
  path: string,
  stream: Stream,
  { signal, tell }: Patience,
): Promise<Answer> {
  const headers = {
    accept: 'text/event-stream, application/json;q=0.5',
    prefer: `wait=${LONG_POLL}`,
    ...(stream.last && { 'last-event-id': stream.last }),
  };
  const response = await connection.open(path, { headers, signal });
  if (!isEventStream(response)) return readAnswer(response, signal);
  stream.isOpen = true;
  const answerOf = (body: unknown) => ({ status: response.status, headers: response.headers, body });
  try {
    for await (const { event, id, data } of readEvents(response)) {
      stream.last = id;
      if (event === 'ended') return answerOf(JSON.parse(data));
      if (event === 'progress') tell(toProgress(JSON.parse(data)));
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new ClientError('the connection was lost', { retryable: true, cause });
  }
  return answerOf({ status: 'queued' });
}

function toProgress({ id, phase, health }: PredictionProgress) {
  return { phase, id, ...(health && { health: toHealth(health) }) };
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
export function readImages(
  answer: (GenerateAnswer | LinkedAnswer) & Pick<Partial<GeneratedImages>, 'timings'>,
  { headers }: Answer,
): GeneratedImages {
  const requestId = headers.get('x-request-id');
  // The head of what was waited for tells of the waiting.
  const images = toImages(answer, answer.timings ?? parseTimings(headers.get('server-timing')));
  return { ...images, ...(requestId === null ? {} : { requestId }) };
}

function phaseOf(health: Health | undefined): Phase {
  if (health?.state === 'waking') return 'waking';
  return health?.state === 'ready' ? 'drawing' : 'queued';
}
