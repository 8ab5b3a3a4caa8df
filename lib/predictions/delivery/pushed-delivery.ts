import { AppError } from '../../errors/app-error.js';
import type { RequestRecord, ResultRecord } from '../../schemas/prediction.js';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointFault,
  PASSING_FAULTS,
  type PushedEndpoint,
} from '../endpoint.js';
import { wasCanceled } from '../read-prediction.js';
import { enlist } from '../records/enlist.js';
import { type KeptPicture, toStore } from '../records/kept-pictures.js';
import type { Services } from '../services.js';
import { wakeEndpoint } from '../wake/wake-endpoint.js';
import { timestamp } from '../work/conclude.js';
import { beginTurn, type Turn } from '../work/turn.js';
import { acceptPrediction, type Outgoing } from './accept-prediction.js';
import { type Delivery, type Parcel, type PredictOutcome, replay, storedOf } from './delivery.js';
import { invokePatiently } from './invoke-patiently.js';
import { resultInTime, wakesInTime } from './result-in-time.js';

/** After these the picture may still come, later: the request is kept. */
const LATER: ReadonlySet<EndpointFault> = new Set([...PASSING_FAULTS, 'cold', 'timeout']);

/** Sends requests to an endpoint, and into the queue where it cannot draw them now. A warm request without a key touches no storage. */
export class PushedDelivery implements Delivery {
  readonly #endpoint: PushedEndpoint;

  constructor(endpoint: PushedEndpoint) {
    this.#endpoint = endpoint;
  }

  async deliver(parcel: Parcel, services: Services): Promise<PredictOutcome> {
    const { record, stored } = parcel;
    if (!stored) return this.#draw(parcel, services);
    // What is in the store can be found, and canceled.
    const [turn] = await Promise.all([beginTurn(record.id, services), enlist(record, services)]);
    if (!turn) throw wasCanceled();
    return this.#draw(parcel, services, turn);
  }

  accept(record: RequestRecord, stored: boolean, services: Services): Promise<void> {
    const message: Outgoing = [{ kind: 'predict', id: record.id, failures: 0 }, 0];
    return acceptPrediction(record, stored, [message], true, services);
  }

  async drawNow(parcel: Parcel, services: Services): Promise<EndpointAnswer> {
    try {
      return await this.#invoke(parcel, services);
    } catch (error) {
      if (error instanceof EndpointError && error.fault === 'cold') await wakeEndpoint(services);
      throw error;
    }
  }

  /** @param turn of a prediction that is in the store */
  async #draw(parcel: Parcel, services: Services, turn?: Turn): Promise<PredictOutcome> {
    const { record, stored, signal } = parcel;
    try {
      const { answer, timings } = await this.#invoke(parcel, services);
      const drawn = { status: 'succeeded', completed_at: timestamp(services), answer, timings } as const;
      return await keepDrawn(parcel, drawn, services);
    } catch (error) {
      await turn?.failed(error);
      if (!(error instanceof EndpointError)) throw error;
      // Nobody waits any more, and nobody can ask for it again.
      if (signal.aborted && !stored) throw error;
      const { fault } = error;
      if (LATER.has(fault)) return this.#later(parcel, fault, services);
      const problem = services.toProblem(error, record.request_id);
      const failed = { status: 'failed', completed_at: timestamp(services), error: problem } as const;
      const kept = stored ? await keep(record.id, failed, [], services) : undefined;
      if (kept) return replay(record.id, kept);
      throw error;
    }
  }

  #invoke({ record, deadline, signal }: Parcel, services: Services): Promise<EndpointAnswer> {
    const { request, request_id: requestId } = record;
    return invokePatiently({ endpoint: this.#endpoint, request, requestId, deadline, signal }, services);
  }

  async #later(parcel: Parcel, fault: EndpointFault, services: Services): Promise<PredictOutcome> {
    const { record, stored } = parcel;
    const cold = fault === 'cold';
    const waking = cold ? wakeEndpoint(services) : undefined;
    await this.accept(record, stored, services);
    await waking;
    const waits = cold && parcel.patient && (await wakesInTime(parcel, services));
    const result = waits ? await resultInTime(parcel, services) : undefined;
    if (result) return { kind: 'answer', id: record.id, ...storedOf(result), replayed: false };
    return { kind: 'accepted', id: record.id, cold, waited: !cold || waits };
  }
}

/** What is told of a picture that has just been drawn: stored before, as far as anybody may ask for it later. */
async function keepDrawn(
  { record, stored: hasKey }: Parcel,
  drawn: Extract<ResultRecord, { status: 'succeeded' }>,
  services: Services,
): Promise<PredictOutcome> {
  const { id } = record;
  const { answer, pictures } = toStore(record, drawn.answer);
  if (!hasKey) await services.store.createPictures(id, pictures);
  const first = hasKey ? await keep(id, { ...drawn, answer }, pictures, services) : undefined;
  return first ? replay(id, first) : { kind: 'answer', id, answer, timings: drawn.timings, replayed: false };
}

/**
 * Nobody is told how a request with a key has ended before that is in the store: somebody else with the same key
 * could be told otherwise.
 *
 * @returns what is in the store where that is not this one
 */
async function keep(
  id: string,
  outcome: ResultRecord,
  pictures: readonly KeptPicture[],
  { store }: Services,
): Promise<ResultRecord | undefined> {
  try {
    if (await store.createResult(id, outcome, pictures)) return undefined;
    return await store.readResult(id);
  } catch (cause) {
    const message = 'the result could not be stored: ask again with the same Idempotency-Key';
    throw new AppError('UNAVAILABLE', message, { cause });
  }
}
