import type { RequestRecord } from '../../schemas/prediction.js';
import { EndpointError, type EndpointFault, type PushedEndpoint } from '../endpoint.js';
import type { MessageOf } from '../message-queue.js';
import { noteBadNumbers } from '../note-bad-numbers.js';
import type { Services } from '../services.js';
import { noteReady, wakeEndpoint } from '../wake/wake-endpoint.js';
import { conclude, fail, timestamp } from './conclude.js';
import { beginTurn } from './turn.js';
import { COLD_RETRY_S, DONE, mayWait, type Verdict } from './verdict.js';

/** How often the model may fail on one request: what it draws depends on nothing but the request. */
const MAX_FAILURES = 3;
/** As above where the connection was lost: that happens by chance, but also where a request kills the endpoint. */
const MAX_LOSSES = 10;
/** How long the endpoint may take for one request: SageMaker gives up after 60 s. Milliseconds. */
const INVOKE_MS = 62_000;
/** Most seconds between tries at one that is up, for a young request and for an old one. */
const SHORTEST_RETRY_S = 10;
const LONGEST_RETRY_S = 60;

/**
 * Draws an accepted request.
 *
 * @throws AppError where the store or the queue fails
 */
export async function draw(
  message: MessageOf<'predict'>,
  record: RequestRecord,
  endpoint: PushedEndpoint,
  services: Services,
): Promise<Verdict> {
  const { clock, queue, onEvent } = services;
  const { request, request_id: requestId } = record;
  const turn = await beginTurn(record.id, services);
  if (!turn) {
    // Whoever canceled it may have died before it said so.
    await conclude(record, { status: 'canceled', completed_at: timestamp(services) }, services);
    return DONE;
  }
  try {
    const signal = clock.timeout(INVOKE_MS);
    const { answer, timings } = await endpoint.invoke(request, { requestId, signal });
    onEvent({ kind: 'drawn', timings });
    // Beside the result: the message after this one waits for nothing but that.
    const noted = noteReady(services, true, true);
    const completed_at = timestamp(services);
    await conclude(record, { status: 'succeeded', completed_at, answer, timings }, services).finally(
      () => noted,
    );
    return DONE;
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    await turn.failed(error);
    noteBadNumbers(error, services);
    if (error.fault === 'cold') {
      await wakeEndpoint(services);
      return { done: false, retrySeconds: COLD_RETRY_S };
    }
    const age = clock.now() - Date.parse(record.created_at);
    const next = nextMessage(message, error.fault, age, services);
    // A message of its own: the receives of this one count the looks at a sleeping endpoint, and crashes.
    if (next) await queue.send(next, retrySeconds(age, services));
    else await fail(record, error, services);
    return DONE;
  }
}

/** @returns undefined where there is nothing more to hope for */
function nextMessage(
  message: MessageOf<'predict'>,
  fault: EndpointFault,
  age: number,
  services: Services,
): MessageOf<'predict'> | undefined {
  if (fault === 'busy' || fault === 'throttled') return mayWait(age, services) ? message : undefined;
  const failures = message.failures + 1;
  const most = fault === 'lost' ? MAX_LOSSES : MAX_FAILURES;
  return fault !== 'refused' && failures < most ? { ...message, failures } : undefined;
}

/** Full jitter below an eighth of what has been waited so far. */
function retrySeconds(age: number, { clock }: Services): number {
  const ceiling = Math.min(LONGEST_RETRY_S, Math.max(SHORTEST_RETRY_S, age / 8000));
  return Math.ceil(clock.random() * ceiling);
}
