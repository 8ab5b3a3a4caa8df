import type { RequestRecord, ResultRecord } from '../../schemas/prediction.js';
import { type EndpointAnswer, EndpointError, type PulledEndpoint } from '../endpoint.js';
import type { Pauses } from '../read-prediction.js';
import type { Services } from '../services.js';
import { wakeUnlessRefused } from '../wake/wake-endpoint.js';
import { WakeRefused } from '../wake/wake-refused.js';
import { fail, timestamp } from '../work/conclude.js';
import { WATCH_AFTER_S } from '../work/watch.js';
import { acceptPrediction, type Outgoing } from './accept-prediction.js';
import { type Delivery, drawnOf, type Parcel, type PredictOutcome, storedOf } from './delivery.js';
import { PredictionFailed } from './prediction-failed.js';
import { resultInTime, wakesInTime } from './result-in-time.js';

/** A warm picture takes 50 to 900 ms: at the end of any of them a look follows within a tenth of it, or 20 ms. */
const SOON: Pauses = { firstMs: 20, growth: 1.1 };

/** Leaves requests in the store and in a queue, where workers fetch them, and looks for results in the store. */
export class PulledDelivery implements Delivery {
  readonly #endpoint: PulledEndpoint;

  constructor(endpoint: PulledEndpoint) {
    this.#endpoint = endpoint;
  }

  async deliver(parcel: Parcel, services: Services): Promise<PredictOutcome> {
    const { record, stored, signal } = parcel;
    const { id } = record;
    await this.#send(record, stored, true, services);
    const listens = await this.#rouse(record, services);
    const waits = listens || parcel.patient || (await wakesInTime(parcel, services));
    const result = waits ? await resultInTime(parcel, services, SOON) : undefined;
    if (result) return { kind: 'answer', id, ...storedOf(result), replayed: false };
    // Nobody waits any more, and nobody can ask for it again.
    if (signal.aborted && !stored) await cancel(record, services);
    return { kind: 'accepted', id, cold: !listens, waited: waits };
  }

  async accept(record: RequestRecord, stored: boolean, services: Services): Promise<void> {
    await this.#send(record, stored, true, services);
    await this.#rouse(record, services).catch(() => undefined);
  }

  async drawNow(parcel: Parcel, services: Services): Promise<EndpointAnswer> {
    const { record } = parcel;
    await this.#send(record, false, false, services);
    const listens = await this.#rouse(record, services);
    const result = (await resultInTime(parcel, services, SOON)) ?? (await cancel(record, services));
    if (result) return drawnOf(result);
    if (listens) throw new EndpointError('busy', 'the endpoint is busy');
    throw new EndpointError('cold', 'the endpoint is waking');
  }

  /** @param watched whether it must end in a result, whatever becomes of workers and messages */
  #send(record: RequestRecord, stored: boolean, watched: boolean, services: Services): Promise<void> {
    const { id } = record;
    const messages: Outgoing[] = [[{ kind: 'predict', id, failures: 0 }, 0]];
    if (watched) messages.push([{ kind: 'watch', id }, WATCH_AFTER_S]);
    // Who waits for what is drawn now or never looks for it nowhere.
    return acceptPrediction(record, stored, messages, watched, services);
  }

  /**
   * Wakes the workers where none listens. Asked after the message has been sent: see `PulledEndpoint.listens`.
   *
   * @returns whether one does
   * @throws PredictionFailed where none ever will: the prediction has ended
   */
  async #rouse(record: RequestRecord, services: Services): Promise<boolean> {
    try {
      if (await this.#endpoint.listens()) return true;
      await wakeUnlessRefused(services);
      return false;
    } catch (error) {
      if (error instanceof WakeRefused) throw new PredictionFailed(await fail(record, error, services));
      services.onEvent({ kind: 'trouble', what: 'whether a worker listens is not known', error });
      // What watches the prediction asks again.
      return true;
    }
  }
}

/**
 * Keeps a request from being drawn for nobody: whoever receives its message finds that it has ended.
 *
 * @returns how it had ended before
 */
async function cancel(record: RequestRecord, services: Services): Promise<ResultRecord | undefined> {
  const { store, toProblem, onEvent } = services;
  const gone = new EndpointError('busy', 'nobody has waited for this picture');
  const error = toProblem(gone, record.request_id);
  const completed_at = timestamp(services);
  try {
    if (await store.createResult(record.id, { status: 'failed', completed_at, error })) return undefined;
    return await store.readResult(record.id);
  } catch (cause) {
    onEvent({ kind: 'trouble', what: 'a request that nobody waits for is drawn all the same', error: cause });
    return undefined;
  }
}
