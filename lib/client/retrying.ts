import { ClientError } from './client-error.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export interface RetryingProps {
  readonly signal: AbortSignal;
  /** Called before each pause. */
  readonly onPause: (failure: ClientError) => void;
}

/** Calls until it succeeds, fails for good, or `signal` is aborted; `Retry-After` is the least that it waits. */
export async function retrying<T>(call: () => Promise<T>, { signal, onPause }: RetryingProps): Promise<T> {
  for (let ceiling = FIRST_PAUSE_MS; ; ceiling = Math.min(LONGEST_PAUSE_MS, ceiling * 2)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable) throw error;
      onPause(error);
      await pause((error.retryAfterSeconds ?? 0) * 1000 + Math.random() * ceiling, signal);
    }
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
