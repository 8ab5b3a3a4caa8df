import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteRange } from '../bytes/byte-range.js';
import { crc32 } from '../bytes/crc32.js';
import { diskError } from './disk-error.js';

/** Until a file is complete and checked, it has this behind its name. */
export const PARTIAL_SUFFIX = '.partial';

/** Read at once: enough to make a trip through the thread pool cheap, little enough to stay in the cache. */
const READ_SIZE = 256 * 1024;

/**
 * A file that is being filled in place, in any order. It has its own name when it is complete; one that has the name
 * already is only read, until `hide` has taken the name from it.
 *
 * Nothing is flushed to the disk: after a power failure, as after a kill, the chunks are checked again.
 */
export class PartialFile {
  readonly path: string;
  /** Whether there may be chunks in it from an earlier run. */
  readonly resumed: boolean;
  readonly #handle: FileHandle;
  /** Pending or done: the file has its partial name. Undefined: it has its own. */
  #hidden: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, resumed: boolean, hidden: Promise<void> | undefined) {
    this.path = path;
    this.#handle = handle;
    this.resumed = resumed;
    this.#hidden = hidden;
  }

  /** Opens what is there, or a new file, `size` bytes long. */
  static async open(path: string, size: number): Promise<PartialFile> {
    return onDisk(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      const partial = path + PARTIAL_SUFFIX;
      const found = await stat(path).catch(() => undefined);
      if (found?.size === size) return new PartialFile(path, await open(path, 'r+'), true, undefined);
      if (found?.isFile()) await rename(path, partial);
      const resumed = await stat(partial).then(
        () => true,
        () => false,
      );
      const handle = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o644);
      // Sets the length without taking the blocks: Node has no fallocate.
      await handle.truncate(size);
      return new PartialFile(path, handle, resumed, Promise.resolve());
    });
  }

  /** Gives up the file's own name, because something in it is wrong. */
  async hide(): Promise<void> {
    this.#hidden ??= onDisk(this.path, () => rename(this.path, this.path + PARTIAL_SUFFIX));
    await this.#hidden;
  }

  /** @returns the CRC-32 of `range` as it is on the disk */
  async crc32Of({ start, end }: ByteRange): Promise<number> {
    return onDisk(this.path, async () => {
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_SIZE, end - start));
      let sum = 0;
      for (let at = start; at < end; ) {
        const length = Math.min(buffer.length, end - at);
        const { bytesRead } = await this.#handle.read(buffer, 0, length, at);
        if (bytesRead === 0) break;
        sum = crc32(buffer.subarray(0, bytesRead), sum);
        at += bytesRead;
      }
      return sum;
    });
  }

  /** For another thread to write by, while the file is hidden. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Writes `bytes` from byte `at` on, into a file that is hidden. */
  async write(bytes: Uint8Array, at: number): Promise<void> {
    return onDisk(this.path, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
    });
  }

  /** Every chunk has been checked: closes the file and gives it its name. */
  async complete(): Promise<void> {
    return onDisk(this.path, async () => {
      await this.#handle.close();
      if (!this.#hidden) return;
      await rename(this.path + PARTIAL_SUFFIX, this.path).catch(async (error) => {
        // Another process filled the same file at the same time and has already named it.
        if (error.code !== 'ENOENT') throw error;
        await stat(this.path);
      });
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw diskError(path, cause as NodeJS.ErrnoException);
  }
}
