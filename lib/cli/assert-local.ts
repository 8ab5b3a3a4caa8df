import { AppError } from '../errors/app-error.js';
import { networkPrefix } from '../weights/sources/network-prefix.js';

/**
 * Refuses a place on a network where a path of this machine is wanted.
 *
 * @throws AppError INVALID_INPUT
 */
export function assertLocal(flag: string, path: string): void {
  const prefix = networkPrefix(path);
  if (prefix)
    throw new AppError('INVALID_INPUT', `${flag} ${prefix}... is not on this machine: name a path that is`);
}
