import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../../errors/app-error.js';

/** The largest config of the family is 2 kB. */
const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_SHOWN_VALUE = 80;

/**
 * Reads a JSON file of a checkpoint and checks it against a schema. What the schema does not know is
 * ignored, as diffusers does; what it knows and cannot take is refused with part, key and value.
 *
 * @throws AppError INVALID_FILE when it is missing, too large or not JSON, UNSUPPORTED for a value
 */
export async function readConfig<S extends z.ZodType>(
  folder: string,
  file: string,
  schema: S,
): Promise<z.infer<S>> {
  const json = parseJson(await readSmallFile(folder, file), file);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], json);
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, MAX_SHOWN_VALUE);
  const key = issue.path.join('.') || 'the file';
  throw new AppError(
    'UNSUPPORTED',
    `${file}: "${key}" is ${shown}, which is not supported: ${issue.message}`,
  );
}

async function readSmallFile(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'is missing' : `cannot be read (${cause.code})`;
    throw new AppError('INVALID_FILE', `${path} ${reason}: a diffusers checkpoint has one`, { cause });
  });
  if (stats.size > MAX_CONFIG_BYTES) {
    throw new AppError('INVALID_FILE', `${path} is larger than ${MAX_CONFIG_BYTES} bytes: not a config file`);
  }
  return readFile(path, 'utf8');
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('INVALID_FILE', `${file} is not valid JSON`, { cause });
  }
}
