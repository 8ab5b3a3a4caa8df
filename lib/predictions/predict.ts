import { AppError } from '../errors/app-error.js';
import { randomSeed } from '../random/random-seed.js';
import type { GenerateAnswer } from '../schemas/answer.js';
import type { RequestRecord, ResultRecord } from '../schemas/prediction.js';
import type { Problem } from '../schemas/problem.js';
import type { PredictRequest } from '../schemas/request.js';
import { acceptPrediction } from './accept-prediction.js';
import { EndpointError, type EndpointFault, PASSING_FAULTS } from './endpoint.js';
import { fingerprint } from './fingerprint.js';
import { invokePatiently } from './invoke-patiently.js';
import { awaitResult, expired, isExpired } from './read-prediction.js';
import { newPredictionId, predictionIdOf, seedOf } from './records/prediction-id.js';
import type { Services } from './services.js';
import { wakeEndpoint } from './wake/wake-endpoint.js';

export interface PredictProps {
  readonly request: PredictRequest;
  /** Who asks, as `RequestRecord.caller`. */
  readonly caller: string;
  /** `Idempotency-Key`. @default none */
  readonly key?: string;
  /** How long the caller waits for a picture before it takes an address instead. Milliseconds; 0: not at all. */
  readonly waitMs: number;
  readonly requestId: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

export type PredictOutcome =
  | {
      readonly kind: 'answer';
      readonly answer: GenerateAnswer;
      readonly timings: Readonly<Record<string, number>>;
      /** The prediction's id, where it had been drawn for an earlier request with the same key. */
      readonly replayOf: string | undefined;
    }
  | { readonly kind: 'accepted'; readonly id: string; readonly cold: boolean }
  | { readonly kind: 'failed'; readonly error: Problem };

type Outcome =
  | {
      readonly status: 'succeeded';
      readonly answer: GenerateAnswer;
      readonly timings: Record<string, number>;
    }
  | { readonly status: 'failed'; readonly error: Problem };

/** After these the picture may still come, later: the request is kept. */
const LATER: ReadonlySet<EndpointFault> = new Set([...PASSING_FAULTS, 'cold', 'timeout']);

/**
 * One request for pictures, answered at once where the endpoint is warm and the caller waits; otherwise accepted,
 * durably. Without a key a warm request touches no storage.
 *
 * @throws EndpointError refused, model or unknown; AppError CONFLICT for a key that came with another request,
 * GONE for one whose prediction has expired, UNAVAILABLE where nothing could be accepted
 */
export async function predict(props: PredictProps, services: Services): Promise<PredictOutcome> {
  const record = makeRecord(props, services);
  const stored = props.key !== undefined && (await services.store.createRequest(record));
  if (props.key !== undefined && !stored) return repeat(props, record, services);
  if (props.waitMs <= 0 || props.request.webhook !== undefined) return later(record, stored, false, services);
  const deadline = services.clock.now() + props.waitMs;
  const { requestId, signal } = props;
  try {
    const patiently = { request: record.request, requestId, deadline, signal };
    const { answer, timings } = await invokePatiently(patiently, services);
    const drawn = { status: 'succeeded', answer, timings } as const;
    const kept = stored ? await keep(record, drawn, services) : undefined;
    return kept ? replay(record.id, kept) : { kind: 'answer', answer, timings, replayOf: undefined };
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    // Nobody waits any more, and nobody can ask for it again.
    if (signal.aborted && !stored) throw error;
    if (LATER.has(error.fault)) return later(record, stored, error.fault === 'cold', services);
    const failed = { status: 'failed', error: services.toProblem(error, requestId) } as const;
    const kept = stored ? await keep(record, failed, services) : undefined;
    if (kept) return replay(record.id, kept);
    throw error;
  }
}

function makeRecord({ request, caller, key, requestId }: PredictProps, { clock }: Services): RequestRecord {
  const { webhook, ...wanted } = request;
  const origin = key === undefined ? undefined : { caller, key };
  return {
    id: origin ? predictionIdOf(origin) : newPredictionId(),
    caller,
    fingerprint: fingerprint(request),
    created_at: new Date(clock.now()).toISOString(),
    request_id: requestId,
    request: { ...wanted, seed: wanted.seed ?? (origin ? seedOf(origin) : randomSeed()) },
    ...(webhook === undefined ? {} : { webhook }),
  };
}

async function later(record: RequestRecord, stored: boolean, cold: boolean, services: Services) {
  const waking = cold ? wakeEndpoint(services) : undefined;
  await acceptPrediction(record, stored, services);
  await waking;
  return { kind: 'accepted', id: record.id, cold } as const;
}

/** A request whose key has been seen: it gets what the first one gets. */
async function repeat(
  props: PredictProps,
  record: RequestRecord,
  services: Services,
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
  const result = await awaitResult(first.id, wait, services, signal);
  if (result) return replay(first.id, result);
  if (await store.isQueued(first.id)) return { kind: 'accepted', id: first.id, cold: false };
  // The first one may have died before it was queued, or is being drawn without the queue.
  return later(first, true, false, services);
}

/**
 * Nobody is told how a request with a key has ended before that is in the store: somebody else with the same key
 * could be told otherwise.
 *
 * @returns what is in the store where that is not this one
 */
async function keep(
  { id }: RequestRecord,
  outcome: Outcome,
  { store, clock }: Services,
): Promise<ResultRecord | undefined> {
  const completed_at = new Date(clock.now()).toISOString();
  try {
    if (await store.createResult(id, { ...outcome, completed_at })) return undefined;
    return await store.readResult(id);
  } catch (cause) {
    const message = 'the result could not be stored: ask again with the same Idempotency-Key';
    throw new AppError('UNAVAILABLE', message, { cause });
  }
}

function replay(id: string, result: ResultRecord): PredictOutcome {
  if (result.status === 'failed') return { kind: 'failed', error: result.error };
  const { answer, timings } = result;
  return { kind: 'answer', answer, timings, replayOf: id };
}
