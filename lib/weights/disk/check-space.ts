import { mkdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import type { ManifestFile } from '../../schemas/manifest.js';
import { PARTIAL_SUFFIX } from './partial-file.js';

/** What `stat` counts in, whatever the file system's own block is. */
const STAT_BLOCK = 512;

/**
 * Creates `directory` and makes sure that `files` fit on its disk, counting what an earlier run has left there.
 *
 * @param shown what messages call the directory
 * @throws AppError UNAVAILABLE, not retryable, with both numbers
 */
export async function checkSpace(
  directory: string,
  files: readonly Pick<ManifestFile, 'path' | 'size'>[],
  shown = directory,
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
  const { bavail, bsize, blocks } = await statfs(directory);
  // Some network file systems do not tell their size.
  if (blocks > 0 && needed > bavail * bsize) {
    throw new AppError(
      'UNAVAILABLE',
      `not enough disk space for ${shown}: ${megabytes(needed)} more are needed, ${megabytes(bavail * bsize)} are free`,
      { retryable: false },
    );
  }
}

async function allocated(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return (stats?.blocks ?? 0) * STAT_BLOCK;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
