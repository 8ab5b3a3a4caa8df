import type { Services } from '../services.js';

/** Wakes the endpoint where that is needed. Never fails: the backend's own alarm is the backstop. */
export async function wakeEndpoint({ waker, onEvent }: Services): Promise<void> {
  try {
    if (await waker.wake()) onEvent({ kind: 'woken' });
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the endpoint could not be woken', error });
  }
}

/** The endpoint has answered. Never fails: it is only about the estimate. */
export async function noteReady({ waker, onEvent }: Services, always = false): Promise<void> {
  try {
    const seconds = await waker.sawReady(always);
    if (seconds !== undefined) onEvent({ kind: 'cold-start', seconds });
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the length of a wake could not be noted', error });
  }
}
