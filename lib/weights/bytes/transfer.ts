import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '../../errors/app-error.js';

/** How hard to try. Every member has a default in `DEFAULT_TRANSFER_POLICY`. */
export interface TransferPolicy {
  /** Attempts after the first, for each request. */
  readonly retries: number;
  /** An attempt that delivers nothing for this long is given up. Slow is not a fault. Milliseconds. */
  readonly stallTimeoutMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves, never rejects, after `ms` or when `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of what failed, each time that it is tried again. */
  readonly onRetry: (failure: AppError) => void;
}

/** The nine pauses add up to 21 s on average: enough for S3 to scale a prefix or an interface to come up. */
export const DEFAULT_TRANSFER_POLICY: TransferPolicy = {
  retries: 9,
  stallTimeoutMs: 20_000,
  random: Math.random,
  sleep: (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined),
  onRetry: () => undefined,
};

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** One attempt: it stops when `signal` is aborted, and calls `onAlive` whenever bytes have come. */
export type Attempt<T> = (signal: AbortSignal, onAlive: () => void) => Promise<T>;

/**
 * Runs `attempt` until it succeeds, at most `retries` more times after retryable errors, with exponential
 * pauses and full jitter (AWS, "Exponential Backoff and Jitter") between them.
 *
 * @param name of the object, for messages
 * @throws AppError the last one, or the reason of `signal` as soon as that is aborted
 */
export async function transfer<T>(
  name: string,
  policy: TransferPolicy,
  signal: AbortSignal,
  attempt: Attempt<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attemptOnce(name, policy.stallTimeoutMs, signal, attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError) || !error.retryable) throw error;
      if (failures >= policy.retries) {
        throw new AppError(error.code, `${error.message} (${failures + 1} attempts)`, { cause: error });
      }
      policy.onRetry(error);
      const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await policy.sleep(policy.random() * ceiling, signal);
    }
  }
}

async function attemptOnce<T>(
  name: string,
  stallTimeoutMs: number,
  outer: AbortSignal,
  attempt: Attempt<T>,
): Promise<T> {
  const controller = new AbortController();
  const stalled = () =>
    controller.abort(new AppError('UNAVAILABLE', `${name}: nothing came for ${stallTimeoutMs / 1000} s`));
  const stopped = () => controller.abort(outer.reason);
  const timer = setTimeout(stalled, stallTimeoutMs);
  outer.addEventListener('abort', stopped, { once: true });
  try {
    return await attempt(controller.signal, () => timer.refresh());
  } catch (error) {
    // An aborted stream fails in words of its own; the reason says what happened.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stopped);
  }
}
