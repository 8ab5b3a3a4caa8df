import { AppError } from '../../../lib/errors/app-error.js';

/**
 * One sentence for a name that does not exist and for one that leads to a private network: the difference would
 * tell a stranger which names that network has.
 */
const MESSAGE = "the webhook's host has no public address";

/** The host is not there now: DNS does not know it, or does not answer. */
export function hostNotFound(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', MESSAGE, { cause });
}

/** The host is where no webhook may go. */
export function hostForbidden(): AppError {
  return new AppError('INVALID_INPUT', MESSAGE);
}
