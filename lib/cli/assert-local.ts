import { AppError } from '../errors/app-error.js';

/**
 * Refuses what is no path of this machine.
 *
 * @param flag option that named the place; undefined when it was left out
 * @throws AppError INVALID_INPUT for an empty name, UNSUPPORTED for a place on the network
 */
export function assertLocal(flag: string, place: string | undefined): void {
  if (place === '') throw new AppError('INVALID_INPUT', `${flag} must not be empty`);
  const scheme = place?.match(/^(hf:|s3:\/\/)/)?.[0];
  if (scheme)
    throw new AppError('UNSUPPORTED', `${flag} ${scheme}... is not available yet: name a directory`);
}
