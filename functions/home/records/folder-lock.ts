import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../../lib/errors/app-error.js';
import { tryLock } from '../../../lib/weights/disk/try-lock.js';
import { parseStored } from '../../shared/parse-stored.js';
import { readPlainFile } from './read-plain-file.js';

const MAX_HOLDER_BYTES = 4_096;

const holderSchema = z.object({ url: z.string().max(200), pid: z.int(), host: z.string().max(255) });

/**
 * The right to use a data folder, which one process has at a time: a lock (`tryLock`) on the file `lock` in it.
 *
 * The file stays: whoever removed it could remove the lock of the next one. `service.json` beside it says who has it.
 */
export class FolderLock {
  readonly #handle: FileHandle;
  readonly #holder: string;

  private constructor(handle: FileHandle, folder: string) {
    this.#handle = handle;
    this.#holder = holderFile(folder);
  }

  /**
   * @param folder that exists
   * @throws AppError UNAVAILABLE where another process has it; INVALID_INPUT where it can have no lock
   */
  static async take(folder: string): Promise<FolderLock> {
    const handle = await open(join(folder, 'lock'), 'a+', 0o600).catch((cause) => {
      throw unusable(folder, cause);
    });
    try {
      if (!isFree(handle, folder)) throw await taken(folder);
      const lock = new FolderLock(handle, folder);
      // Of a service that was ended before it could.
      await rm(lock.#holder, { force: true }).catch(() => undefined);
      return lock;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Says to whoever wants the folder, too, where the service is. On a full disk they are told less. */
  async announce(url: string): Promise<void> {
    const holder = JSON.stringify({ url, pid: process.pid, host: hostname() });
    await writeFile(this.#holder, holder, { mode: 0o600 }).catch(() => undefined);
  }

  async release(): Promise<void> {
    await rm(this.#holder, { force: true }).catch(() => undefined);
    await this.#handle.close();
  }
}

function isFree({ fd }: FileHandle, folder: string): boolean {
  try {
    return tryLock(fd);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

async function taken(folder: string): Promise<AppError> {
  const holder = await readHolder(folder).catch(() => undefined);
  const who = holder ? ` (${holder.url}, process ${holder.pid} on ${holder.host})` : '';
  const message = `--data ${folder} is used by another service${who}: stop it, or choose another folder with --data`;
  return new AppError('UNAVAILABLE', message, { retryable: false });
}

async function readHolder(folder: string): Promise<z.infer<typeof holderSchema> | undefined> {
  const file = holderFile(folder);
  const bytes = await readPlainFile(file, MAX_HOLDER_BYTES);
  return bytes && holderSchema.parse(parseStored(bytes, file));
}

function holderFile(folder: string): string {
  return join(folder, 'service.json');
}

function unusable(folder: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  return new AppError('INVALID_INPUT', `--data ${folder} cannot be locked (${code}): choose another folder`, {
    cause,
  });
}
