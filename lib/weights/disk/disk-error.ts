import { AppError } from '../../errors/app-error.js';

/** Why `path` cannot be written, in this project's terms. */
export function diskError(
  path: string,
  cause: { readonly message: string; readonly code?: string | undefined },
): AppError {
  if (cause.code === 'ENOSPC') {
    return new AppError('UNAVAILABLE', `the disk is full: ${path}`, { cause, retryable: false });
  }
  return new AppError('INTERNAL', `cannot write ${path}: ${cause.message}`, { cause });
}
