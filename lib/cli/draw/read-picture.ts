import { createReadStream } from 'node:fs';
import { AppError } from '../../errors/app-error.js';
import { inspectPicture } from '../../image/inspect-picture.js';
import { OWN_LIMITS } from '../../image/picture-limits.js';
import { readBounded } from '../../weights/bytes/read-bounded.js';

/**
 * The bytes of a picture's file, looked at before anything is loaded for it.
 *
 * @param flag that named the file
 * @throws AppError INVALID_INPUT that names the flag
 */
export async function readPicture(flag: string, file: string): Promise<Uint8Array> {
  try {
    // Not by its size: a pipe has none.
    const bytes = await readBounded(createReadStream(file), OWN_LIMITS.bytes, file);
    inspectPicture(bytes, OWN_LIMITS);
    return bytes;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const said = cause instanceof AppError ? cause.message : `cannot be read (${code})`;
    const reason = said.startsWith(file) ? said : `${file} ${said}`;
    throw new AppError('INVALID_INPUT', `${flag}: ${reason}`, { cause });
  }
}
