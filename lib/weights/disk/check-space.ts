import { mkdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import type { ManifestFile } from '../../schemas/manifest.js';
import { availableMemory } from './available-memory.js';
import { PARTIAL_SUFFIX } from './partial-file.js';

/** What `stat` counts in, whatever the file system's own block is. */
const STAT_BLOCK = 512;

/** Of tmpfs and ramfs, as Linux tells file systems apart: linux/magic.h. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/**
 * Creates `directory` and makes sure that `files` fit on its disk, or into memory where it lies there, counting what an
 * earlier run has left there.
 *
 * @param shown what messages call the directory
 * @param freeMemory bytes that this process may still take
 * @throws AppError UNAVAILABLE, not retryable, with both numbers
 */
export async function checkSpace(
  directory: string,
  files: readonly Pick<ManifestFile, 'path' | 'size'>[],
  shown = directory,
  freeMemory = availableMemory,
): Promise<void> {
  await mkdir(directory, { recursive: true }).catch((cause) => {
    throw new AppError('INVALID_INPUT', `cannot create ${directory}: ${cause.message}`, { cause });
  });
  let needed = 0;
  for (const { path, size } of files) {
    const name = join(directory, path);
    const there = (await allocated(name)) || (await allocated(name + PARTIAL_SUFFIX));
    needed += Math.max(0, size - there);
  }
  const { bavail, bsize, blocks, type } = await statfs(directory);
  // Some network file systems do not tell their size.
  if (blocks > 0) checkFits('disk space', needed, bavail * bsize, shown);
  // Such a file system has a size of its own, which says nothing of the memory that is left.
  if (IN_MEMORY.has(type)) checkFits('memory', needed, freeMemory(), shown);
}

function checkFits(what: string, needed: number, free: number, shown: string): void {
  if (needed <= free) return;
  const numbers = `${megabytes(needed)} more are needed, ${megabytes(free)} are free`;
  throw new AppError('UNAVAILABLE', `not enough ${what} for ${shown}: ${numbers}`, { retryable: false });
}

async function allocated(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return (stats?.blocks ?? 0) * STAT_BLOCK;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
