import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import { readBounded } from '../bytes/read-bounded.js';
import type { ByteSource } from './byte-source.js';

/** Large reads, because each one is a trip through the thread pool. */
const READ_SIZE = 1024 * 1024;

/** A bundle or a checkpoint in a directory of this machine. */
export class FileSource implements ByteSource {
  readonly description: string;

  /** @param directory without a slash at the end */
  constructor(directory: string) {
    this.description = directory;
  }

  async open(path: string, range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { handle, size } = await this.#openFile(path);
    if (size >= range.end) return streamFrom(handle, range, signal);
    await handle.close();
    throw new AppError('INVALID_FILE', `${this.#name(path)} ends at byte ${size}, before ${range.end}`);
  }

  async readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { handle, size } = await this.#openFile(path);
    return readBounded(streamFrom(handle, { start: 0, end: size }, signal), maxBytes, this.#name(path));
  }

  async #openFile(path: string): Promise<{ handle: FileHandle; size: number }> {
    const name = this.#name(path);
    try {
      const handle = await open(name, 'r');
      const stats = await handle.stat();
      if (stats.isFile()) return { handle, size: stats.size };
      await handle.close();
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      if (missing) throw new AppError('NOT_FOUND', `${name} does not exist`, { cause });
      throw new AppError('INVALID_FILE', `cannot read ${name}: ${(cause as Error).message}`, { cause });
    }
    throw new AppError('INVALID_FILE', `${name} is not a file`);
  }

  #name(path: string): string {
    return join(this.description, path);
  }
}

function streamFrom(handle: FileHandle, { start, end }: ByteRange, signal: AbortSignal) {
  // A read stream has no way to say "nothing": its `end` is the last byte.
  const stream = handle.createReadStream({ start, end: Math.max(start, end - 1), highWaterMark: READ_SIZE });
  return addAbortSignal(signal, stream) as AsyncIterable<Buffer>;
}
