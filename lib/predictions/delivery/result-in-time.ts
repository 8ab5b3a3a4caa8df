import { AppError } from '../../errors/app-error.js';
import type { ResultRecord } from '../../schemas/prediction.js';
import { awaitResult, type Pauses } from '../read-prediction.js';
import type { Services } from '../services.js';
import type { Parcel } from './delivery.js';

/**
 * How an accepted request has ended, as soon as it has.
 *
 * @param pauses as `awaitResult` has them
 * @returns undefined where it has not by the caller's deadline, or the store does not answer then: it is accepted all the same
 */
export async function resultInTime(
  { record, deadline, signal }: Parcel,
  services: Services,
  pauses?: Pauses,
): Promise<ResultRecord | undefined> {
  const waitMs = deadline - services.clock.now();
  try {
    return await awaitResult({ id: record.id, waitMs, signal, ...(pauses && { pauses }) }, services);
  } catch (error) {
    if (error instanceof AppError && error.retryable) return undefined;
    throw error;
  }
}

/** Whether a wake that is under way may be over before the caller's patience is. */
export async function wakesInTime(
  { deadline }: Pick<Parcel, 'deadline'>,
  { waker, clock, onEvent }: Services,
): Promise<boolean> {
  try {
    return clock.now() + (await waker.estimate()) * 1000 < deadline;
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the wake log could not be read', error });
    return false;
  }
}
