import type { Services } from '../../lib/predictions/services.js';

const SHORTEST_SECONDS = 1;
/** A long poll in between costs little, and the estimate may be wrong. */
const LONGEST_SECONDS = 30;

/**
 * Seconds after which it makes sense to ask for a prediction, from what is known of the endpoint's wakes. A thousand
 * callers at once are no thousand questions to the control plane, which throttles early.
 */
export async function retryAfter({ waker, onEvent }: Services): Promise<string> {
  try {
    const estimate = await waker.estimate();
    return String(Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, Math.ceil(estimate))));
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the wake log could not be read', error });
    return String(LONGEST_SECONDS);
  }
}
