import type { MessageQueue } from '../../../lib/predictions/message-queue.js';
import { UnreadableRecord } from '../../../lib/predictions/records/unreadable-record.js';
import type { FolderPredictionStore } from './folder-prediction-store.js';

/**
 * Puts into the queue what an earlier process accepted and did not finish, oldest first: pictures that have not
 * been drawn, and webhooks that have not been told.
 *
 * @param onTrouble told of a record that cannot be read
 * @throws AppError UNAVAILABLE where nobody can say what there is
 */
export async function requeueUnfinished(
  store: FolderPredictionStore,
  queue: MessageQueue,
  onTrouble: (what: string, error: unknown) => void,
): Promise<void> {
  for (const { id, records, trouble } of await store.list()) {
    // Of one that cannot be looked at now, whoever works on it finds out what there is to do.
    if (trouble || (records.has('request') && !records.has('result'))) {
      await queue.send({ kind: 'predict', id, failures: 0 });
      continue;
    }
    if (!records.has('request') || records.has('webhook')) continue;
    try {
      const request = await store.readRequest(id);
      if (request?.webhook !== undefined) await queue.send({ kind: 'webhook', id, attempts: 0 });
    } catch (error) {
      if (error instanceof UnreadableRecord) onTrouble(`prediction ${id} is left as it is`, error);
      else await queue.send({ kind: 'predict', id, failures: 0 });
    }
  }
}
