import type { AppError } from '../errors/app-error.js';
import type { Progress } from './progress.js';

/** Eight transfers fail at once where the network is away: one line tells it. Milliseconds. */
const QUIET_MS = 5_000;

/** For a `TransferPolicy`: says at once that something is tried again, and again while that lasts. */
export function tellRetries(progress: Progress, now: () => number = Date.now): (failure: AppError) => void {
  let quietUntil = 0;
  return ({ message }) => {
    if (now() < quietUntil) return;
    quietUntil = now() + QUIET_MS;
    progress.say(`${message}: trying again`);
  };
}
