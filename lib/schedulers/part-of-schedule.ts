import { AppError } from '../errors/app-error.js';
import type { Schedule } from './euler-discrete.js';

/**
 * The end of a schedule that is done from `strength` on, as diffusers counts it.
 *
 * @throws AppError INVALID_INPUT where not even one step is left
 */
export function partOfSchedule(schedule: Schedule, strength: number): Schedule {
  const steps = schedule.timesteps.length;
  const kept = Math.min(Math.floor(steps * strength), steps);
  if (kept >= 1 && strength <= 1) {
    const first = steps - kept;
    return {
      ...schedule,
      timesteps: schedule.timesteps.subarray(first),
      sigmas: schedule.sigmas.subarray(first),
    };
  }
  throw new AppError('INVALID_INPUT', 'strength must be at most 1, and steps x strength at least 1');
}
