import type { RequestRecord, ResultRecord } from '../../schemas/prediction.js';
import type { MessageOf } from '../message-queue.js';
import { toEnded } from '../read-prediction.js';
import type { SendWebhook } from '../send-webhook.js';
import type { Services } from '../services.js';
import { WEBHOOK_PAUSES_S } from '../webhook-pauses.js';

/**
 * Makes one attempt to tell a webhook, and sees to the next where there is to be one.
 *
 * @throws AppError where the store or the queue fails
 */
export async function tell(
  message: MessageOf<'webhook'>,
  request: RequestRecord,
  result: ResultRecord,
  sendWebhook: SendWebhook,
  services: Services,
): Promise<void> {
  const { store, queue, links, onEvent } = services;
  const { id, webhook: url } = request;
  if (url === undefined || (await store.readWebhook(id))) return;
  const attempts = message.attempts + 1;
  const body = await toEnded(request, result, links);
  const outcome = await sendWebhook({ url, id, body });
  if (outcome.delivered) {
    await store.createWebhook(id, { status: 'delivered', attempts });
    return;
  }
  const { error } = outcome;
  const pause = WEBHOOK_PAUSES_S[message.attempts];
  if (outcome.retryable && pause !== undefined) {
    await queue.send({ ...message, attempts }, pause);
    return;
  }
  await store.createWebhook(id, { status: 'failed', attempts, error });
  onEvent({ kind: 'webhook-failed', id, error });
}
