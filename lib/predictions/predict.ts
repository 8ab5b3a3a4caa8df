import { AppError } from '../errors/app-error.js';
import type { RequestRecord } from '../schemas/prediction.js';
import { type ApiServices, type PredictOutcome, replay } from './delivery/delivery.js';
import { makeRecord, type RecordProps } from './make-record.js';
import { awaitResult, expired, isExpired } from './read-prediction.js';

export interface PredictProps extends RecordProps {
  /** How long the caller waits for a picture before it takes an address instead. Milliseconds; 0: not at all. */
  readonly waitMs: number;
  /** Whether it said so itself, and waits for a wake, too. @default false */
  readonly patient?: boolean;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * One request for pictures, answered at once where the endpoint is warm and the caller waits; otherwise accepted,
 * durably.
 *
 * @throws EndpointError or PredictionFailed where there will be no picture; AppError CONFLICT for a key that came with
 * another request, GONE for one whose prediction has expired, UNAVAILABLE where nothing could be accepted
 */
export async function predict(props: PredictProps, services: ApiServices): Promise<PredictOutcome> {
  const { request, key, waitMs, patient = false, signal } = props;
  const { store, clock, delivery } = services;
  const record = makeRecord(props, clock);
  const deadline = clock.now() + waitMs;
  const stored = key !== undefined && (await store.createRequest(record));
  if (key !== undefined && !stored) return repeat(props, record, services);
  if (waitMs <= 0 || request.webhook !== undefined) return later(record, stored, services);
  return delivery.deliver({ record, stored, deadline, patient, signal }, services);
}

async function later(record: RequestRecord, stored: boolean, services: ApiServices): Promise<PredictOutcome> {
  await services.delivery.accept(record, stored, services);
  return accepted(record);
}

/** Nobody waits for what a webhook tells. */
function accepted({ id, webhook }: RequestRecord): PredictOutcome {
  return { kind: 'accepted', id, cold: false, waited: webhook === undefined };
}

/** A request whose key has been seen: it gets what the first one gets. */
async function repeat(
  props: PredictProps,
  record: RequestRecord,
  services: ApiServices,
): Promise<PredictOutcome> {
  const { store } = services;
  const { waitMs, request, signal } = props;
  const first = await store.readRequest(record.id);
  if (!first)
    throw new AppError('UNAVAILABLE', 'the prediction of this Idempotency-Key has just been deleted');
  if (isExpired(first, services)) throw expired(services);
  if (first.fingerprint !== record.fingerprint) {
    throw new AppError('CONFLICT', 'this Idempotency-Key came with another request before');
  }
  const wait = request.webhook === undefined ? waitMs : 0;
  const result = await awaitResult({ id: first.id, waitMs: wait, signal }, services);
  if (result) return replay(first.id, result);
  if (await store.isQueued(first.id)) return accepted(first);
  // The first one may have died before it was queued, or is being drawn without the queue.
  return later(first, true, services);
}
