import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import type { Manifest } from '../../schemas/manifest.js';
import { MANIFEST_NAME, parseManifest } from '../../weights/bundle/read-manifest.js';
import { isStaging, stagingName } from '../../weights/bundle/staging-name.js';
import { folderName, placeOf } from './cache-folder.js';
import { CacheLock } from './cache-lock.js';

/** A place that has been brought to this machine, or a part of it. */
export interface CachedModel {
  /** As `--model` names it. */
  readonly place: string;
  /** Undefined where it is not whole: the next run goes on with it. */
  readonly manifest: Manifest | undefined;
  /** On the disk. */
  readonly bytes: number;
  /** Absolute, more than one where processes were killed. */
  readonly folders: readonly string[];
}

/** @param root folder of the cache; it may be absent */
export async function listCached(root: string): Promise<CachedModel[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = new Map<string, string[]>();
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const place = placeOf(withoutStaging(name));
    // A hidden folder is the locks'.
    if (!name.startsWith('.')) folders.set(place, [...(folders.get(place) ?? []), join(root, name)]);
  }
  const places = [...folders].sort(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(places.map(([place, its]) => describe(place, its)));
}

/**
 * Deletes what is cached of a place.
 *
 * @throws AppError NOT_FOUND where there is nothing of it, UNAVAILABLE where another run is bringing it
 */
export async function removeCached(root: string, place: string): Promise<CachedModel> {
  const found = (await listCached(root)).find((model) => model.place === place);
  if (!found) throw new AppError('NOT_FOUND', `${place} is not cached: see "sd-turbo models"`);
  const directory = join(root, folderName(place));
  const lock = await CacheLock.take(directory);
  if (!lock) {
    const message = `${place} is on its way here for another run: stop that first`;
    throw new AppError('UNAVAILABLE', message, { retryable: false });
  }
  try {
    for (const folder of found.folders) {
      // Nobody finds half a bundle, also after a kill.
      const going = isStaging(folder.slice(directory.length)) ? folder : `${directory}${stagingName()}`;
      if (going !== folder) await rename(folder, going);
      await rm(going, { recursive: true });
    }
    return found;
  } catch (cause) {
    const message = `${place} cannot be removed: ${(cause as Error).message}`;
    throw new AppError('UNAVAILABLE', message, { cause, retryable: false });
  } finally {
    await lock.release();
  }
}

async function describe(place: string, folders: readonly string[]): Promise<CachedModel> {
  const sizes = await Promise.all(folders.map(sizeOf));
  const manifests = await Promise.all(folders.map(readOwnManifest));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { place, manifest: manifests.find((manifest) => manifest !== undefined), bytes, folders };
}

/** What is damaged is listed all the same: so it can be removed. */
async function readOwnManifest(folder: string): Promise<Manifest | undefined> {
  if (withoutStaging(folder) !== folder) return undefined;
  try {
    return parseManifest(await readFile(join(folder, MANIFEST_NAME)), folder);
  } catch {
    return undefined;
  }
}

/** Bytes that its files take on the disk: a half-written one is longer than that. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(
    files.map((entry) => stat(join(entry.parentPath ?? entry.path, entry.name)).catch(() => undefined)),
  );
  return stats.reduce((sum, found) => sum + (found ? Math.min(found.size, found.blocks * 512) : 0), 0);
}

function withoutStaging(name: string): string {
  const at = name.lastIndexOf('.partial-');
  return at > 0 && isStaging(name.slice(at)) ? name.slice(0, at) : name;
}
