import type { RequestRecord, ResultRecord } from '../schemas/prediction.js';
import { EndpointError } from './endpoint.js';
import type { Message } from './message-queue.js';
import { isExpired, toPrediction } from './read-prediction.js';
import type { SendWebhook } from './send-webhook.js';
import type { Services } from './services.js';
import { noteReady, wakeEndpoint } from './wake-endpoint.js';

/** How often the model may fail on one request: what it draws depends on nothing but the request. */
const MAX_FAILURES = 3;
/** How long the endpoint may take for one request: SageMaker gives up after 60 s. Milliseconds. */
const INVOKE_MS = 62_000;
/** Seconds between looks at a sleeping endpoint: 60 receives of a message then make 20 minutes. */
const COLD_RETRY_S = 20;
/** Most seconds between tries at a busy one. */
const BUSY_RETRY_S = 10;
/** Attempts to deliver a webhook, over about an hour. */
const MAX_WEBHOOK_ATTEMPTS = 8;
/** Seconds before the second attempt; four times as many before each later one, as far as SQS can wait. */
const FIRST_WEBHOOK_PAUSE_S = 5;
const LONGEST_WEBHOOK_PAUSE_S = 900;

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
  const { endpoint, clock, toProblem } = services;
  const { request, request_id: requestId } = record;
  try {
    const { answer, timings } = await endpoint.invoke(request, {
      requestId,
      signal: AbortSignal.timeout(INVOKE_MS),
    });
    services.onEvent({ kind: 'drawn', timings });
    await noteReady(services, true);
    return await conclude(
      record,
      { status: 'succeeded', completed_at: timestamp(services), answer },
      services,
    );
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    if (error.fault === 'cold') {
      await wakeEndpoint(services);
      return { done: false, retrySeconds: COLD_RETRY_S };
    }
    if (error.fault === 'busy' || error.fault === 'throttled')
      return { done: false, retrySeconds: Math.ceil(clock.random() * BUSY_RETRY_S) };
    if (error.fault !== 'refused' && message.failures + 1 < MAX_FAILURES) {
      // A message of its own counts failures; its receives also count the looks at a sleeping endpoint.
      const next = { ...message, failures: message.failures + 1 };
      await services.queue.send(next, Math.ceil(clock.random() * BUSY_RETRY_S));
      return DONE;
    }
    const failed = {
      status: 'failed',
      completed_at: timestamp(services),
      error: toProblem(error, requestId),
    } as const;
    return conclude(record, failed, services);
  }
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
  const outcome = await sendWebhook({ url, id, body: toPrediction(request, result, undefined) });
  if (outcome.delivered) {
    await store.createWebhook(id, { status: 'delivered', attempts });
    return DONE;
  }
  const { error } = outcome;
  if (outcome.retryable && attempts < MAX_WEBHOOK_ATTEMPTS) {
    const pause = Math.min(LONGEST_WEBHOOK_PAUSE_S, FIRST_WEBHOOK_PAUSE_S * 4 ** message.attempts);
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
export async function failDeadLetter({ id, kind }: Message, services: Services): Promise<void> {
  const record = await services.store.readRequest(id);
  if (!record || isExpired(record, services)) return;
  if (kind === 'webhook') {
    await services.store.createWebhook(id, { status: 'failed', attempts: 0, error: 'given up' });
    return;
  }
  const error = new EndpointError(
    'cold',
    'the endpoint did not take the request for so long that it was given up',
  );
  const problem = services.toProblem(error, record.request_id);
  await conclude(record, { status: 'failed', completed_at: timestamp(services), error: problem }, services);
}

function timestamp({ clock }: Services): string {
  return new Date(clock.now()).toISOString();
}
