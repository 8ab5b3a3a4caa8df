import type { RequestRecord, ResultRecord } from '../schemas/prediction.js';
import { EndpointError } from './endpoint.js';
import type { Message } from './message-queue.js';
import { isExpired } from './read-prediction.js';
import { UnreadableRecord } from './records/unreadable-record.js';
import type { Services, WorkerServices } from './services.js';
import { fail, finish } from './work/conclude.js';
import { draw } from './work/draw.js';
import { tell } from './work/tell.js';
import { DONE, type Verdict } from './work/verdict.js';
import { watch } from './work/watch.js';

export type { WorkerServices } from './services.js';
export type { Verdict } from './work/verdict.js';

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
  const { store } = services;
  // At the same time: somebody waits for what comes after both.
  const [request, result] = await Promise.all([store.readRequest(message.id), store.readResult(message.id)]);
  if (!request || isExpired(request, services)) return DONE;
  return result ? performEnded(message, request, result, services) : performOpen(message, request, services);
}

async function performOpen(
  message: Message,
  request: RequestRecord,
  services: WorkerServices,
): Promise<Verdict> {
  const { endpoint, pulled, queue } = services;
  const { kind, id } = message;
  if (kind === 'webhook') return DONE;
  if (kind === 'predict' && endpoint) return draw(message, request, endpoint, services);
  if (kind === 'watch' && pulled) return watch(message, request, pulled, services);
  // Of a time when another backend was here, or in the wrong queue.
  await queue.send(kind === 'predict' ? message : { kind: 'predict', id, failures: 0 });
  return DONE;
}

async function performEnded(
  message: Message,
  request: RequestRecord,
  result: ResultRecord,
  services: WorkerServices,
): Promise<Verdict> {
  const { sendWebhook, queue } = services;
  // Drawn before; whoever did it may have died before it told anybody.
  if (message.kind === 'predict') await finish(request, services);
  if (message.kind !== 'webhook') return DONE;
  if (sendWebhook) await tell(message, request, result, sendWebhook, services);
  else await queue.send(message);
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
  const words = 'given up: the endpoint did not wake for too long, or the service failed too often';
  await fail(record, new EndpointError('cold', words), services);
}
