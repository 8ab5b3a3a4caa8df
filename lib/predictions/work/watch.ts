import type { RequestRecord } from '../../schemas/prediction.js';
import { EndpointError } from '../endpoint.js';
import type { MessageOf } from '../message-queue.js';
import type { PulledWork, Services } from '../services.js';
import { wakeUnlessRefused } from '../wake/wake-endpoint.js';
import { WakeRefused } from '../wake/wake-refused.js';
import { fail } from './conclude.js';
import { COLD_RETRY_S, DONE, mayWait, type Verdict } from './verdict.js';

/** Between looks at a prediction that somebody should be drawing: nearly all are drawn before the first. Seconds. */
export const WATCH_AFTER_S = 30;

/**
 * Looks after a prediction that has no result yet: wakes whoever should draw it, for as long as it may wait, and sends its
 * message again where that is in the queue no more.
 *
 * @throws AppError where the store or the queue fails
 */
export async function watch(
  message: MessageOf<'watch'>,
  record: RequestRecord,
  { endpoint, backlog }: PulledWork,
  services: Services,
): Promise<Verdict> {
  const { store, queue, clock } = services;
  const { id } = message;
  const listens = await endpoint.listens();
  try {
    if (!listens) await wakeUnlessRefused(services);
  } catch (error) {
    if (!(error instanceof WakeRefused)) throw error;
    await fail(record, error, services);
    return DONE;
  }
  // In this order: who draws writes the result before its message goes. A count that is wrong costs a second message.
  const isLost = (await backlog()) === 0 && !(await store.readResult(id));
  if (isLost) await queue.send({ kind: 'predict', id, failures: 0 });
  // Each look at a sleeper is one receive of this message: they end, and with them what waits for a wake.
  if (!listens) return { done: false, retrySeconds: COLD_RETRY_S };
  const age = clock.now() - Date.parse(record.created_at);
  if (mayWait(age, services)) await queue.send(message, watchAgainAfter(services));
  else
    await fail(record, new EndpointError('busy', 'given up: the endpoint was busy for too long'), services);
  return DONE;
}

/** Spread, so that what was accepted together is not looked after together. */
function watchAgainAfter({ clock }: Services): number {
  return Math.ceil(WATCH_AFTER_S * (1 + clock.random()));
}
