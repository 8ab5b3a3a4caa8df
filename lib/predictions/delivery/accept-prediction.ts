import { AppError } from '../../errors/app-error.js';
import type { RequestRecord } from '../../schemas/prediction.js';
import type { Message } from '../message-queue.js';
import { enlist } from '../records/enlist.js';
import type { Services } from '../services.js';

/** A message, and how long it is kept back. Seconds. */
export type Outgoing = readonly [message: Message, delaySeconds: number];

/**
 * Makes a request durable, as `Delivery.accept` promises it.
 *
 * @param stored whether the record is in the store already
 * @param messages sent when it is: at once, and in no order
 * @param isListed whether its owner finds it among the others
 * @throws AppError UNAVAILABLE
 */
export async function acceptPrediction(
  record: RequestRecord,
  stored: boolean,
  messages: readonly Outgoing[],
  isListed: boolean,
  services: Services,
): Promise<void> {
  const { store, queue } = services;
  try {
    if (!stored) await store.createRequest(record);
    const sent = messages.map(([message, delay]) => queue.send(message, delay));
    await Promise.all([...sent, isListed ? enlist(record, services) : undefined]);
    // Without this note a repetition sends another message, which costs a draw and no more.
    if (stored) await store.markQueued(record.id).catch(() => false);
  } catch (cause) {
    const reason = cause instanceof AppError ? `; ${cause.message}` : '';
    const message = `the request could not be stored: nothing was accepted${reason}`;
    throw new AppError('UNAVAILABLE', message, { cause });
  }
}
