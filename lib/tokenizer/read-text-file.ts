import { AppError } from '../errors/app-error.js';
import { foreignContent } from '../weights/bytes/foreign-content.js';
import { decodeUtf8 } from '../weights/bytes/parse-json.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/**
 * A whole UTF-8 file; undefined where there is none.
 *
 * @throws AppError INVALID_FILE when it is longer than `maxBytes`, no regular file, not UTF-8, or known to be
 * something else
 */
export async function readTextFile(
  files: TokenizerFiles,
  name: string,
  maxBytes: number,
): Promise<string | undefined> {
  const bytes = await files.read(name, maxBytes);
  if (bytes === undefined) return undefined;
  const path = `${files.folder}/${name}`;
  const foreign = foreignContent(bytes);
  if (foreign) throw new AppError('INVALID_FILE', `${path} is ${foreign}`);
  return decodeUtf8(bytes, path);
}
