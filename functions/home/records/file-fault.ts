import { AppError } from '../../../lib/errors/app-error.js';

const DENIED = 'access is denied';
const MANY_FILES = 'too many files are open';
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the disk is read-only',
  EIO: 'the disk has failed',
  EMFILE: MANY_FILES,
  ENFILE: MANY_FILES,
  EACCES: DENIED,
  EPERM: DENIED,
};

/** What the file system refuses, as trouble that may pass. No path is in it: callers read it. */
export function fileFault(what: string, cause: unknown): AppError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'an unknown error';
  const reason = REASONS[code];
  return new AppError('UNAVAILABLE', `${what}: ${reason ? `${reason} (${code})` : code}`, { cause });
}
