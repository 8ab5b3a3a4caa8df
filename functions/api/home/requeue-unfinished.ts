import type { MessageQueue } from '../../../lib/predictions/message-queue.js';
import type { FolderPredictionStore } from './folder-prediction-store.js';

/**
 * Puts into the queue what an earlier process accepted and did not finish, oldest first: pictures that have not
 * been drawn, and webhooks that have not been told.
 *
 * @param onTrouble told of a record that cannot be read
 */
export async function requeueUnfinished(
  store: FolderPredictionStore,
  queue: MessageQueue,
  onTrouble: (what: string, error: unknown) => void,
): Promise<void> {
  for (const { id, records } of await store.list()) {
    if (!records.has('request') || records.has('webhook')) continue;
    if (!records.has('result')) {
      await queue.send({ kind: 'predict', id, failures: 0 });
      continue;
    }
    try {
      const request = await store.readRequest(id);
      if (request?.webhook !== undefined) await queue.send({ kind: 'webhook', id, attempts: 0 });
    } catch (error) {
      onTrouble(`prediction ${id} is left as it is`, error);
    }
  }
}
