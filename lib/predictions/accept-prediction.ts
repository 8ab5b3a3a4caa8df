import { AppError } from '../errors/app-error.js';
import type { RequestRecord } from '../schemas/prediction.js';
import type { Services } from './services.js';

/**
 * Makes a request durable: when this returns, its record is in the store and its message in the queue, and it
 * will end in a result even if this process dies.
 *
 * @param stored whether the record is in the store already: it has a key, and may be asked for again
 * @throws AppError UNAVAILABLE; the request is not accepted then, and may be sent again
 */
export async function acceptPrediction(
  record: RequestRecord,
  stored: boolean,
  { store, queue }: Services,
): Promise<void> {
  try {
    if (!stored) await store.createRequest(record);
    await queue.send({ kind: 'predict', id: record.id, failures: 0 });
    // Without this note a repetition sends another message, which costs a draw and no more.
    if (stored) await store.markQueued(record.id).catch(() => false);
  } catch (cause) {
    const reason = cause instanceof AppError ? `; ${cause.message}` : '';
    const message = `the request could not be stored: nothing was accepted${reason}`;
    throw new AppError('UNAVAILABLE', message, { cause });
  }
}
