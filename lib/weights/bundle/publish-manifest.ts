import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../schemas/manifest.js';
import { PARTIAL_SUFFIX } from '../disk/partial-file.js';
import { MANIFEST_NAME } from './read-manifest.js';

/**
 * Runs `fill`, which makes the files in `directory` what `manifest` says, and writes the manifest after it: a
 * directory with a manifest is whole. One that says something else is removed first.
 */
export async function publishManifest(
  directory: string,
  manifest: object & Pick<Manifest, 'files'>,
  fill: () => Promise<void>,
): Promise<void> {
  const path = join(directory, MANIFEST_NAME);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const published = await readFile(path, 'utf8').catch(() => undefined);
  if (published !== text) await rm(path, { force: true });
  await fill();
  if (published === text) return;
  await writeFile(path + PARTIAL_SUFFIX, text);
  await rename(path + PARTIAL_SUFFIX, path);
}
