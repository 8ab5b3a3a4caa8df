import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @param {string} file
 * @returns {Promise<any>}
 */
export async function readJson(file) {
  return JSON.parse(await readFile(file, 'utf8'));
}
