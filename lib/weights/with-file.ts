import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../errors/app-error.js';

/** A file of this machine that is open for reading. */
export interface OpenFile {
  /** Bytes. */
  readonly size: number;
  /** @throws AppError INVALID_FILE when the file ends before `start + length` */
  read(start: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens a file for as long as `use` takes.
 *
 * @throws AppError INVALID_FILE when it is missing, is not a plain file or cannot be read
 */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) throw new AppError('INVALID_FILE', `${path} is not a file`);
    return await use({ size: stats.size, read: readFully.bind(undefined, handle, path) });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('INVALID_FILE', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await handle?.close();
  }
}

async function readFully(
  handle: FileHandle,
  path: string,
  start: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) throw new AppError('INVALID_FILE', `${path} ends at byte ${start + done}`);
    done += bytesRead;
  }
  return bytes;
}
