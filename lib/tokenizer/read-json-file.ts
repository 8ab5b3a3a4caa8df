import type * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { parseJson } from '../weights/bytes/parse-json.js';
import { quote } from './quote.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/**
 * A JSON file that a schema describes; undefined where there is none.
 *
 * @throws AppError as `files.read` and `parseJson`, and INVALID_FILE naming the first field that is wrong
 */
export async function readJsonFile<T>(
  files: TokenizerFiles,
  name: string,
  maxBytes: number,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const bytes = await files.read(name, maxBytes);
  if (bytes === undefined) return undefined;
  const path = `${files.folder}/${name}`;
  const { success, data, error } = schema.safeParse(parseJson(bytes, path));
  if (success) return data;
  const issue = error.issues[0];
  const field = issue?.path.length ? `${quote(issue.path.join('.'))}: ` : '';
  throw new AppError('INVALID_FILE', `${path}: ${field}${issue?.message}`, { cause: error });
}
