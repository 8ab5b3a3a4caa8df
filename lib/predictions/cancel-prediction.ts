import { AppError } from '../errors/app-error.js';
import type { Prediction } from '../schemas/prediction.js';
import { ownRequest, type ReadPredictionProps, readPrediction } from './read-prediction.js';
import type { Services } from './services.js';
import { conclude, timestamp } from './work/conclude.js';
import { preventTurns } from './work/turn.js';

/** Who finds the endpoint asleep or busy has begun for a moment only: it is looked at again. Milliseconds. */
const LOOK_MS = 250;
const LOOKS = 5;

export const BEGUN = 'this prediction is being drawn: it can no longer be canceled';

/**
 * Cancels a prediction that nobody has begun to draw: when this returns, it is not drawn any more. Again does no harm.
 *
 * @throws AppError CONFLICT where it has begun or ended, and as `ownRequest`
 */
export async function cancelPrediction(
  props: Pick<ReadPredictionProps, 'id' | 'caller'>,
  services: Services,
): Promise<Prediction> {
  const { id } = props;
  const { store, clock } = services;
  const record = await ownRequest(props, services);
  for (let looks = 1; !(await store.readEnd(id)); looks++) {
    if (await preventTurns(id, store)) {
      await conclude(record, { status: 'canceled', completed_at: timestamp(services) }, services);
      break;
    }
    if (looks === LOOKS) throw new AppError('CONFLICT', BEGUN);
    await clock.sleep(LOOK_MS);
  }
  const prediction = await readPrediction({ ...props, waitMs: 0 }, services);
  if (prediction.status === 'canceled') return prediction;
  throw new AppError('CONFLICT', `this prediction has ${prediction.status}: there is nothing left to cancel`);
}
