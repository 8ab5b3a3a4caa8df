import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleTypeScript } from '../../../infra/bundle-typescript.mjs';

/** Below node_modules, so that the script finds the packages. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url));

/**
 * Makes of a TypeScript file of this repository one that `node` runs as it is, for child processes that are to be
 * killed: `run-ts.mjs` could not clean up after those.
 */
export async function bundleScript(file: string): Promise<{ path: string; remove: () => Promise<void> }> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'bundle-script-'));
  const path = join(folder, 'main.mjs');
  await bundleTypeScript(file, path);
  return { path, remove: () => rm(folder, { recursive: true }) };
}
