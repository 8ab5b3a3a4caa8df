import type { FollowOptions, GenerateProgress } from './client.js';
import { ClientError } from './client-error.js';
import { RefusedHere } from './explain-silence.js';

const FIFTEEN_MINUTES_MS = 900_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Where nobody listens on this very machine, somebody is starting a service just now, or has forgotten to: 4 s at the median. */
const MAX_REFUSALS = 5;

/** What a call that may take long is made of. */
export interface Patience {
  /** Aborted when the caller has enough, or its time is up. */
  readonly signal: AbortSignal;
  readonly tell: (progress: Omit<GenerateProgress, 'seconds'>) => void;
  /** Calls until it succeeds or fails for good; `Retry-After` is the least that it waits. */
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
}

/**
 * Works until it is done, or until there is no more patience.
 *
 * @param goal what comes of it, for the message when it does not
 * @throws ClientError; the signal's reason when that is aborted
 */
export async function withPatience<T>(
  goal: string,
  options: FollowOptions,
  work: (patience: Patience) => Promise<T>,
): Promise<T> {
  const { onProgress = () => undefined, timeoutMs = FIFTEEN_MINUTES_MS } = options;
  const started = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const tell: Patience['tell'] = (progress) =>
    onProgress({ ...progress, seconds: (performance.now() - started) / 1000 });
  let last: ClientError | undefined;
  const onPause = (failure: ClientError) => {
    last = failure;
    tell({ phase: 'retrying', reason: failure.message });
  };
  try {
    signal.throwIfAborted();
    return await work({ signal, tell, retry: (call) => retrying(call, signal, onPause) });
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (!timeout.aborted) throw error;
    const why = last ? `: ${last.message}` : '';
    throw new ClientError(`${goal} came within ${timeoutMs / 1000} s${why}`, {
      retryable: true,
      cause: last ?? error,
    });
  }
}

async function retrying<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  onPause: (failure: ClientError) => void,
): Promise<T> {
  let refusals = 0;
  for (let ceiling = FIRST_PAUSE_MS; ; ceiling = Math.min(LONGEST_PAUSE_MS, ceiling * 2)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable) throw error;
      refusals = error instanceof RefusedHere ? refusals + 1 : 0;
      if (refusals >= MAX_REFUSALS) throw error;
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
