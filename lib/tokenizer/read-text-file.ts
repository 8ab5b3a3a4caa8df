import { AppError } from '../errors/app-error.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/**
 * A whole UTF-8 file; undefined where there is none.
 *
 * @throws AppError INVALID_FILE when it is longer than `maxBytes`, no regular file, or not UTF-8
 */
export async function readTextFile(
  files: TokenizerFiles,
  name: string,
  maxBytes: number,
): Promise<string | undefined> {
  const bytes = await files.read(name, maxBytes);
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('INVALID_FILE', `${files.folder}/${name} cannot be read as UTF-8`, { cause });
  }
}
