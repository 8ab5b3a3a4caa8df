import { createHash } from 'node:crypto';
import type { Health } from '../schemas/health.js';
import type { Prediction } from '../schemas/prediction.js';
import type { PredictionProgress } from '../schemas/predictions/prediction-progress.js';
import { ownRequest, type ReadPredictionProps, readPrediction } from './read-prediction.js';
import type { Services } from './services.js';

/** Between looks at the store: soon after something has happened, since a warm picture follows at once. Milliseconds. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** Between questions for the endpoint's state: backends throttle who asks often. Milliseconds. */
const HEALTH_MS = 4_000;

/** What has happened to a prediction. The same state has the same `id`, whoever looks, and however often. */
export type News =
  | { readonly kind: 'progress'; readonly id: string; readonly data: PredictionProgress }
  | { readonly kind: 'ended'; readonly id: string; readonly data: Prediction };

export interface FollowPredictionProps extends Pick<ReadPredictionProps, 'id' | 'caller'> {
  /** `id` of what was told last: it is not told again. @default nothing was */
  readonly lastId: string | undefined;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/**
 * Tells how a prediction is, whenever that is another than before, until it has ended. Whoever comes back with the last `id`
 * is told what is so by then: states in between are of the past, and the end is never missed.
 *
 * @throws AppError as `ownRequest`, and what the store throws
 */
export async function* followPrediction(
  props: FollowPredictionProps,
  services: Services,
): AsyncGenerator<News, void> {
  const { id, signal } = props;
  const { store, clock } = services;
  const request = await ownRequest(props, services);
  const askHealth = healthReader(services);
  let last = props.lastId;
  let wasDrawn = false;
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    if (await store.readEnd(id)) {
      const data = await readPrediction({ ...props, waitMs: 0 }, services);
      if (data.status !== last) yield { kind: 'ended', id: data.status, data };
      return;
    }
    const isDrawn = (await store.readClaim(id))?.state === 'drawing';
    // Who draws is awake, whatever was known before.
    const health = await askHealth(isDrawn && !wasDrawn);
    wasDrawn = isDrawn;
    const news = progressOf(request.id, isDrawn, health);
    if (news.id !== last) {
      last = news.id;
      pause = FIRST_PAUSE_MS;
      yield news;
    }
    await clock.sleep(pause, signal);
  }
}

/** Only for show: a state that cannot be read is no reason to stop. @returns asks anew where that is wanted, or was long ago */
function healthReader({ waker, clock, onEvent }: Services): (anew: boolean) => Promise<Health | undefined> {
  let health: Health | undefined;
  let askAt = 0;
  return async (anew) => {
    if (!anew && clock.now() < askAt) return health;
    health = await waker.health().catch((error) => {
      onEvent({ kind: 'trouble', what: 'the state of the endpoint could not be told', error });
      return undefined;
    });
    askAt = clock.now() + HEALTH_MS;
    return health;
  };
}

function progressOf(id: string, isDrawn: boolean, health: Health | undefined): News {
  const phase = isDrawn ? 'drawing' : health?.state === 'waking' ? 'waking' : 'queued';
  // How long a wake has taken by now is no news.
  const state = isDrawn ? [phase] : [phase, health?.state, health?.detail];
  const digest = createHash('sha256').update(JSON.stringify(state)).digest('hex');
  const data = { id, status: 'queued', phase, ...(health && { health }) } as const;
  return { kind: 'progress', id: `${phase}-${digest.slice(0, 8)}`, data };
}
