import { open } from 'node:fs/promises';
import { AppError } from '../errors/app-error.js';
import { type KeyFile, keyFileSchema, MAX_KEYS } from './key-file.js';

/** Of keys in the data folder of a service at home. */
export const KEY_FILE = 'keys.json';

/** A key with the longest name and every field. */
const MAX_BYTES = 512 * MAX_KEYS;

/**
 * The keys in a file; none where there is no file.
 *
 * @throws AppError INVALID_FILE for what is none of ours, UNAVAILABLE for what cannot be read
 */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const text = await readText(file);
  const { data } = keyFileSchema.safeParse(text === undefined ? { keys: [] } : parse(text));
  if (data) return data;
  throw new AppError('INVALID_FILE', `${file} is not what \`sd-turbo keys\` writes: mend it, or delete it`);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.size > MAX_BYTES) return '';
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AppError('UNAVAILABLE', `${file} cannot be read (${code})`, { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
