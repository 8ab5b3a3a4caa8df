import { createRequire } from 'node:module';

/** It comes without types. */
const native: { tryLock: (descriptor: number) => boolean } = createRequire(import.meta.url)(
  'fs-native-extensions',
);

/**
 * Takes an advisory lock of the system on an open file: fcntl's of the open file on Linux, flock on macOS, LockFileEx on
 * Windows. The system lets go of it when the file is closed or the process ends, however that happens; children do not
 * inherit it. It is the file's, whatever path leads there, also from two containers on one machine; two machines are told
 * apart as far as their network file system passes locks on.
 *
 * @returns false where another process has it
 * @throws what the system says where there can be no lock
 */
export function tryLock(descriptor: number): boolean {
  return native.tryLock(descriptor);
}
