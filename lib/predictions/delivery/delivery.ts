import { AppError } from '../../errors/app-error.js';
import type { RequestRecord, ResultRecord, StoredAnswer } from '../../schemas/prediction.js';
import type { Problem } from '../../schemas/problem.js';
import type { EndpointAnswer } from '../endpoint.js';
import { wasCanceled } from '../read-prediction.js';
import type { Services } from '../services.js';
import { PredictionFailed } from './prediction-failed.js';

/** A request whose caller waits. */
export interface Parcel {
  readonly record: RequestRecord;
  /** Whether the record is in the store already: it has a key, and may be asked for again. */
  readonly stored: boolean;
  /** When the caller's patience ends. Milliseconds since 1970. */
  readonly deadline: number;
  /** Whether the caller has said itself how long it waits. */
  readonly patient: boolean;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

export type PredictOutcome =
  | {
      readonly kind: 'answer';
      /** Of the prediction. */
      readonly id: string;
      readonly answer: StoredAnswer;
      readonly timings: Readonly<Record<string, number>>;
      /** Whether it had been drawn for an earlier request with the same key. */
      readonly replayed: boolean;
    }
  | {
      readonly kind: 'accepted';
      readonly id: string;
      /** Whether the endpoint was found asleep. */
      readonly cold: boolean;
      /** Whether it was waited for until the caller's patience ended. */
      readonly waited: boolean;
    }
  /** An earlier request with the same key has failed. */
  | { readonly kind: 'failed'; readonly error: Problem };

/** How requests get to what draws them: they are sent there, or fetched from a queue. */
export interface Delivery {
  /**
   * Has a request drawn while its caller waits, or accepts it, durably, for later.
   *
   * @throws EndpointError refused, model or unknown, or PredictionFailed: why there is no picture, and never will be;
   * AppError UNAVAILABLE where nothing could be accepted
   */
  deliver(parcel: Parcel, services: Services): Promise<PredictOutcome>;
  /**
   * Makes a request durable: when this returns, its record is in the store and its message in the queue, and it will end
   * in a result even if this process dies.
   *
   * @param stored as `Parcel.stored`
   * @throws AppError UNAVAILABLE; the request is not accepted then, and may be sent again
   */
  accept(record: RequestRecord, stored: boolean, services: Services): Promise<void>;
  /**
   * Has a request drawn while its caller waits, or not at all.
   *
   * @throws EndpointError, PredictionFailed, or AppError UNAVAILABLE
   */
  drawNow(parcel: Parcel, services: Services): Promise<EndpointAnswer>;
}

/** What the API's routes need. */
export interface ApiServices extends Services {
  readonly delivery: Delivery;
}

/** What a request is told whose key has come before. @throws AppError GONE where it was canceled */
export function replay(id: string, result: ResultRecord): PredictOutcome {
  if (result.status === 'canceled') throw wasCanceled();
  if (result.status === 'failed') return { kind: 'failed', error: result.error };
  const { answer, timings } = result;
  return { kind: 'answer', id, answer, timings, replayed: true };
}

/**
 * What a result has to tell.
 *
 * @throws PredictionFailed; AppError GONE where it was canceled
 */
export function storedOf(result: ResultRecord) {
  if (result.status === 'canceled') throw wasCanceled();
  if (result.status === 'failed') throw new PredictionFailed(result.error);
  const { answer, timings } = result;
  return { answer, timings };
}

/**
 * ... to whoever waits for pictures and no addresses.
 *
 * @throws as `storedOf`; AppError INTERNAL where the pictures are elsewhere all the same
 */
export function drawnOf(result: ResultRecord): EndpointAnswer {
  const { answer, timings } = storedOf(result);
  if ('pictures' in answer) throw new AppError('INTERNAL', 'a result has its pictures elsewhere');
  return { answer, timings };
}
