import type * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { showValue } from '../../errors/show-value.js';
import { parseJson } from '../../weights/bytes/parse-json.js';
import type { CheckpointReader } from '../../weights/checkpoint/checkpoint-reader.js';

/** The largest config of the family is 2 kB. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * Reads a JSON file of a checkpoint and checks it against a schema. What the schema does not know is
 * ignored, as diffusers does; what it knows and cannot take is refused with part, key and value.
 *
 * @param file path in the checkpoint
 * @throws AppError INVALID_FILE when it is missing, too large or not JSON, UNSUPPORTED for a value
 */
export async function readConfig<S extends z.ZodType>(
  reader: CheckpointReader,
  file: string,
  schema: S,
): Promise<z.infer<S>> {
  const path = reader.nameOf(file);
  const json = parseJson(await readSmallFile(reader, file), path);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], json);
  const key = issue.path.join('.') || 'the file';
  throw new AppError(
    'UNSUPPORTED',
    `${path}: "${key}" is ${showValue(value)}, which is not supported: ${issue.message}`,
  );
}

async function readSmallFile(reader: CheckpointReader, file: string): Promise<Uint8Array> {
  const path = reader.nameOf(file);
  const size = await reader.size(file);
  if (size === undefined)
    throw new AppError('INVALID_FILE', `${path} is missing: a diffusers checkpoint has one`);
  if (size > MAX_CONFIG_BYTES)
    throw new AppError('INVALID_FILE', `${path} is not a file of at most ${MAX_CONFIG_BYTES} bytes`);
  return reader.readSmall(file, MAX_CONFIG_BYTES);
}
