import type * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { quote } from './quote.js';
import { readTextFile } from './read-text-file.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/**
 * A JSON file that a schema describes; undefined where there is none.
 *
 * @throws AppError as `readTextFile`, and INVALID_FILE naming the first field that is wrong
 */
export async function readJsonFile<T>(
  files: TokenizerFiles,
  name: string,
  maxBytes: number,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const text = await readTextFile(files, name, maxBytes);
  return text === undefined ? undefined : parseJson(text, `${files.folder}/${name}`, schema);
}

function parseJson<T>(text: string, path: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('INVALID_FILE', `${path} is not JSON`, { cause });
  }
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const issue = error.issues[0];
  const field = issue?.path.length ? `${quote(issue.path.join('.'))}: ` : '';
  throw new AppError('INVALID_FILE', `${path}: ${field}${issue?.message}`, { cause: error });
}
