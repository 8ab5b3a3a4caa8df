import type { Services } from '../services.js';
import { WakeRefused } from './wake-refused.js';

/** Wakes the endpoint where that is needed. Never fails: the backend's own alarm is the backstop. */
export async function wakeEndpoint(services: Services): Promise<void> {
  await wakeUnlessRefused(services).catch(() => undefined);
}

/**
 * Wakes the endpoint where that is needed, and fails where there is no hope.
 *
 * @throws WakeRefused
 */
export async function wakeUnlessRefused(services: Services): Promise<void> {
  const { waker, onEvent } = services;
  try {
    if (await waker.wake()) onEvent({ kind: 'woken' });
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the endpoint could not be woken', error });
    if (error instanceof WakeRefused) throw error;
  }
}

/** The endpoint has answered; the parameters are the waker's. Never fails: it is only about estimate and restarts. */
export async function noteReady(
  { waker, onEvent }: Services,
  always = false,
  hasDrawn = false,
): Promise<void> {
  try {
    const seconds = await waker.sawReady(always, hasDrawn);
    if (seconds !== undefined) onEvent({ kind: 'cold-start', seconds });
  } catch (error) {
    onEvent({ kind: 'trouble', what: 'the length of a wake could not be noted', error });
  }
}
