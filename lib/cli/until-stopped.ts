import { AppError } from '../errors/app-error.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs `use`, whose signal is aborted by the first Ctrl-C, so that it can clean up; a second one ends the process.
 *
 * @param onStop called at once: cleaning up may take a while
 */
export async function untilStopped<T>(
  use: (signal: AbortSignal) => Promise<T>,
  onStop: () => void = () => undefined,
): Promise<T> {
  const stop = new AbortController();
  const onSignal = (name: string) => {
    onStop();
    stop.abort(new AppError('UNAVAILABLE', `stopped by ${name}`, { retryable: false }));
  };
  for (const name of SIGNALS) process.once(name, onSignal);
  try {
    return await use(stop.signal);
  } finally {
    for (const name of SIGNALS) process.removeListener(name, onSignal);
  }
}
