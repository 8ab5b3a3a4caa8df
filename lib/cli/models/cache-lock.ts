import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../errors/app-error.js';
import { makeFolders } from '../../weights/disk/make-folders.js';
import { tryLock } from '../../weights/disk/try-lock.js';

/** From one look at a lock that another has to the next. Milliseconds. */
const LOOK_MS = 500;

/**
 * The right to change one folder of the cache, which one process has at a time. Who only reads a whole bundle needs none.
 * The lock's file stays: whoever removed it could remove the lock of the next one.
 */
export class CacheLock {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * @returns undefined where another process has it
   * @throws AppError INVALID_INPUT where the cache cannot be written
   */
  static async take(folder: string): Promise<CacheLock | undefined> {
    const handle = await openLock(folder);
    try {
      if (tryLock(handle.fd)) return new CacheLock(handle);
    } catch (cause) {
      await handle.close();
      throw unusable(folder, cause);
    }
    await handle.close();
    return undefined;
  }

  /**
   * Waits until there is nobody else.
   *
   * @param onWait called once, where another process has it
   * @throws AppError as `take`; the reason of `signal` when that is aborted
   */
  static async wait(folder: string, signal: AbortSignal, onWait: () => void): Promise<CacheLock> {
    for (let looks = 0; ; looks++) {
      const lock = await CacheLock.take(folder);
      if (lock) return lock;
      if (looks === 0) onWait();
      await pause(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async release(): Promise<void> {
    await this.#handle.close();
  }
}

async function openLock(folder: string): Promise<FileHandle> {
  try {
    const locks = join(dirname(folder), '.locks');
    await makeFolders(locks);
    return await open(join(locks, basename(folder)), 'a+');
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function unusable(folder: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  const message = `the cache ${dirname(folder)} cannot be written (${code}): XDG_CACHE_HOME names another folder`;
  return new AppError('INVALID_INPUT', message, { cause });
}
