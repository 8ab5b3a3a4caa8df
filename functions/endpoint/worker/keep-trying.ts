import { AppError } from '../../../lib/errors/app-error.js';
import type { Clock } from '../../../lib/predictions/services.js';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface KeepTryingProps {
  readonly clock: Pick<Clock, 'now' | 'sleep' | 'random'>;
  /** Aborted when there is no time for another try. */
  readonly signal: AbortSignal;
  /** So long after the first try there is none any more. @default never */
  readonly patienceMs?: number;
  /** Told of each failure that is not the last one. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Tries again after pauses that double from 1 s to 30 s, half of each by chance, for as long as the failure may pass.
 *
 * @throws what the last attempt has thrown
 */
export async function keepTrying<T>(attempt: () => Promise<T>, props: KeepTryingProps): Promise<T> {
  const { clock, signal, patienceMs = Number.POSITIVE_INFINITY, onTrouble } = props;
  const end = clock.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await attempt();
    } catch (error) {
      const passes = error instanceof AppError && error.retryable;
      if (!passes || signal.aborted || clock.now() >= end) throw error;
      onTrouble(error);
    }
    await clock.sleep(pause * (0.5 + clock.random() / 2), signal);
  }
}
