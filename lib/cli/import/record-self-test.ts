import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { openBundle } from '../../pipeline/bundle.js';
import { loadTextToImage } from '../../pipeline/load-text-to-image.js';
import { drawTestPicture, summarise } from '../../pipeline/self-test.js';
import { SessionHost } from '../../runtime/session-host.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { SelfTest } from '../../schemas/self-test.js';
import { manifestText } from '../../weights/bundle/manifest-text.js';
import { MANIFEST_NAME, parseManifest } from '../../weights/bundle/read-manifest.js';
import { availableMemory } from '../../weights/disk/available-memory.js';
import { PARTIAL_SUFFIX } from '../../weights/disk/partial-file.js';
import { MEMORY_FACTOR } from '../models/tell-memory.js';

/** @throws AppError UNAVAILABLE where a bundle of such files cannot be drawn with here */
export function assertMemory(files: Manifest['files']): void {
  const needed = MEMORY_FACTOR * files.reduce((sum, { size }) => sum + size, 0);
  if (availableMemory() < needed)
    throw new AppError('UNAVAILABLE', `to draw it takes ${(needed / 1e9).toFixed(1)} GB of free memory`);
}

/**
 * Draws the self-test's picture with each decoder of a bundle that runs on the CPU.
 *
 * @throws AppError UNAVAILABLE where there is too little memory for it, BAD_NUMBERS where the model draws none
 */
export async function drawSelfTest(
  folder: string,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<SelfTest> {
  assertMemory(manifest.files);
  const host = new SessionHost(new URL('../../runtime/session-worker.js', import.meta.url));
  try {
    const pipeline = await loadTextToImage(await openBundle(folder), host, { provider: 'cpu' });
    const drawn: SelfTest = {};
    for (const decoder of pipeline.decoders)
      drawn[decoder] = summarise(await drawTestPicture(pipeline, decoder, signal));
    return drawn;
  } finally {
    await host.close();
  }
}

/**
 * Draws the picture of a bundle in a directory and writes into its manifest what it looks like.
 *
 * @throws AppError BAD_NUMBERS where the model draws none: the bundle has no manifest then, and is none
 */
export async function recordSelfTest(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const path = join(folder, MANIFEST_NAME);
  const manifest = parseManifest(await readFile(path), path);
  try {
    const { files, ...about } = manifest;
    const recorded: Manifest = { ...about, self_test: await drawSelfTest(folder, manifest, signal), files };
    await writeFile(path + PARTIAL_SUFFIX, manifestText(recorded));
    await rename(path + PARTIAL_SUFFIX, path);
  } catch (error) {
    if (error instanceof AppError && error.code === 'BAD_NUMBERS') await rm(path);
    throw error;
  }
}
