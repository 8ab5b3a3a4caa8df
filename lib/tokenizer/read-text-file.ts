import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../errors/app-error.js';

/**
 * A whole UTF-8 file; undefined where there is none.
 *
 * @throws AppError INVALID_FILE when it is longer than `maxBytes`, no regular file, or not UTF-8
 */
export async function readTextFile(path: string, maxBytes: number): Promise<string | undefined> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new AppError('INVALID_FILE', `${path} cannot be read: ${cause.code}`, { cause });
  });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new AppError('INVALID_FILE', `${path} is not a file`);
  if (stats.size > maxBytes) {
    throw new AppError('INVALID_FILE', `${path} has ${stats.size} bytes, at most ${maxBytes} are read`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw new AppError('INVALID_FILE', `${path} cannot be read as UTF-8`, { cause });
  }
}
