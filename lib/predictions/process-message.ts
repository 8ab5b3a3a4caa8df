import type { RequestRecord, ResultRecord } from '../schemas/prediction.js';
import { EndpointError, type EndpointFault } from './endpoint.js';
import type { Message } from './message-queue.js';
import { noteBadNumbers } from './note-bad-numbers.js';
import { isExpired, toEnded } from './read-prediction.js';
import { UnreadableRecord } from './records/unreadable-record.js';
import type { SendWebhook } from './send-webhook.js';
import type { Services } from './services.js';
import { noteReady, wakeEndpoint } from './wake/wake-endpoint.js';
import { WEBHOOK_PAUSES_S } from './webhook-pauses.js';

/** How often the model may fail on one request: what it draws depends on nothing but the request. */
const MAX_FAILURES = 3;
/** As above where the connection was lost: that happens by chance, but also where a request kills the endpoint. */
const MAX_LOSSES = 10;
/** How long the endpoint may take for one request: SageMaker gives up after 60 s. Milliseconds. */
const INVOKE_MS = 62_000;
/** Seconds between looks at a sleeping endpoint: 60 receives of a message then make 20 minutes. */
const COLD_RETRY_S = 20;
/** Most seconds between tries at one that is up, for a young request and for an old one. */
const SHORTEST_RETRY_S = 10;
const LONGEST_RETRY_S = 60;
/** So long a request is tried at an endpoint that is always busy: longer than any backlog that is meant. */
const BUSY_PATIENCE_MS = 6 * 3_600_000;

/** What becomes of a message: it is done, or it is to come again after a while. */
export type Verdict = { readonly done: true } | { readonly done: false; readonly retrySeconds: number };

const DONE: Verdict = { done: true };

export interface WorkerServices extends Services {
  readonly sendWebhook: SendWebhook;
}

/**
 * Does what a message says, any number of times with the same effect as once.
 *
 * @throws AppError where the store or the queue fails: the message must come again
 */
export async function processMessage(message: Message, services: WorkerServices): Promise<Verdict> {
  try {
    return await perform(message, services);
  } catch (error) {
    return leaveUnreadable(message, error, services);
  }
}

/** No delivery makes a damaged record better, and whoever asks for it is told: its message is done. */
function leaveUnreadable({ id }: Message, error: unknown, { onEvent }: Services): Verdict {
  if (!(error instanceof UnreadableRecord)) throw error;
  onEvent({ kind: 'trouble', what: `prediction ${id} is left as it is`, error });
  return DONE;
}

async function perform(message: Message, services: WorkerServices): Promise<Verdict> {
  const request = await services.store.readRequest(message.id);
  if (!request || isExpired(request, services)) return DONE;
  const result = await services.store.readResult(message.id);
  if (message.kind === 'webhook') return result ? tell(message, request, result, services) : DONE;
  // Drawn before; whoever did it may have died before it told anybody.
  return result ? finish(request, services) : draw(message, request, services);
}

type PredictMessage = Extract<Message, { kind: 'predict' }>;
type WebhookMessage = Extract<Message, { kind: 'webhook' }>;

async function draw(message: PredictMessage, record: RequestRecord, services: Services): Promise<Verdict> {
  const { endpoint, clock, queue, toProblem } = services;
  const { request, request_id: requestId } = record;
  try {
    const { answer, timings } = await endpoint.invoke(request, {
      requestId,
      signal: clock.timeout(INVOKE_MS),
    });
    services.onEvent({ kind: 'drawn', timings });
    const result = { status: 'succeeded', completed_at: timestamp(services), answer, timings } as const;
    const verdict = await conclude(record, result, services);
    await noteReady(services, true);
    return verdict;
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    noteBadNumbers(error, services);
    if (error.fault === 'cold') {
      await wakeEndpoint(services);
      return { done: false, retrySeconds: COLD_RETRY_S };
    }
    const age = clock.now() - Date.parse(record.created_at);
    const next = nextMessage(message, error.fault, age, services);
    if (next) {
      // A message of its own: the receives of this one count the looks at a sleeping endpoint, and crashes.
      await queue.send(next, retrySeconds(age, services));
      return DONE;
    }
    const problem = toProblem(error, requestId);
    return conclude(
      record,
      { status: 'failed', completed_at: timestamp(services), error: problem },
      services,
    );
  }
}

/** @returns undefined where there is nothing more to hope for */
function nextMessage(
  message: PredictMessage,
  fault: EndpointFault,
  age: number,
  { retentionMs }: Services,
): PredictMessage | undefined {
  if (fault === 'busy' || fault === 'throttled') {
    // Whoever asks must still be able to read how it ended.
    return age < Math.min(BUSY_PATIENCE_MS, retentionMs / 2) ? message : undefined;
  }
  const failures = message.failures + 1;
  const most = fault === 'lost' ? MAX_LOSSES : MAX_FAILURES;
  return fault !== 'refused' && failures < most ? { ...message, failures } : undefined;
}

/** Full jitter below an eighth of what has been waited so far. */
function retrySeconds(age: number, { clock }: Services): number {
  const ceiling = Math.min(LONGEST_RETRY_S, Math.max(SHORTEST_RETRY_S, age / 8000));
  return Math.ceil(clock.random() * ceiling);
}

/** Writes how a prediction ended, unless it has ended already. */
async function conclude(record: RequestRecord, result: ResultRecord, services: Services): Promise<Verdict> {
  const { store, onEvent } = services;
  if (await store.createResult(record.id, result)) onEvent({ kind: 'ended', status: result.status });
  return finish(record, services);
}

async function finish({ id, webhook }: RequestRecord, { store, queue }: Services): Promise<Verdict> {
  if (webhook !== undefined && !(await store.readWebhook(id))) {
    await queue.send({ kind: 'webhook', id, attempts: 0 });
  }
  return DONE;
}

async function tell(
  message: WebhookMessage,
  request: RequestRecord,
  result: ResultRecord,
  services: WorkerServices,
): Promise<Verdict> {
  const { store, queue, sendWebhook, onEvent } = services;
  const { id, webhook: url } = request;
  if (url === undefined || (await store.readWebhook(id))) return DONE;
  const attempts = message.attempts + 1;
  const outcome = await sendWebhook({ url, id, body: toEnded(request, result) });
  if (outcome.delivered) {
    await store.createWebhook(id, { status: 'delivered', attempts });
    return DONE;
  }
  const { error } = outcome;
  const pause = WEBHOOK_PAUSES_S[message.attempts];
  if (outcome.retryable && pause !== undefined) {
    await queue.send({ ...message, attempts }, pause);
    return DONE;
  }
  await store.createWebhook(id, { status: 'failed', attempts, error });
  onEvent({ kind: 'webhook-failed', id, error });
  return DONE;
}

/**
 * A message that came too often: its prediction has failed, unless it has ended otherwise meanwhile.
 *
 * @throws AppError where the store or the queue fails: the message must come again
 */
export async function failDeadLetter(message: Message, services: Services): Promise<void> {
  try {
    await giveUp(message, services);
  } catch (error) {
    leaveUnreadable(message, error, services);
  }
}

async function giveUp(message: Message, services: Services): Promise<void> {
  const { id } = message;
  const record = await services.store.readRequest(id);
  if (!record || isExpired(record, services)) return;
  if (message.kind === 'webhook') {
    const { attempts } = message;
    await services.store.createWebhook(id, { status: 'failed', attempts, error: 'tried too often' });
    return;
  }
  const error = new EndpointError(
    'cold',
    'given up: the endpoint did not wake for too long, or the service failed too often',
  );
  const problem = services.toProblem(error, record.request_id);
  await conclude(record, { status: 'failed', completed_at: timestamp(services), error: problem }, services);
}

function timestamp({ clock }: Services): string {
  return new Date(clock.now()).toISOString();
}
