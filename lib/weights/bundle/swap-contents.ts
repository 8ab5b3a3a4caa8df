import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MANIFEST_NAME } from './read-manifest.js';
import { isLeftover, isStaging, stageOf } from './staging-name.js';

/** What file systems, desktops and file servers put into a directory by themselves. */
const SYSTEM_NAMES =
  /^(lost\+found|\.DS_Store|\.localized|\.Trashes|\.Trash-\d+|\.TemporaryItems|\.fseventsd|\.Spotlight-V100|\.snapshot|\.nfs[0-9a-f]+|System Volume Information|\$RECYCLE\.BIN|desktop\.ini|Thumbs\.db)$/i;

/** Names in a directory that its user has put there, or a finished import. */
export async function contentsOf(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => !isStaging(name) && !SYSTEM_NAMES.test(name));
}

/**
 * Puts what `fresh` holds, a staging folder in `directory`, in the place of what the directory holds: the directory
 * itself may be a mount point, or somebody's working directory. It has no manifest in between, which is for some
 * renames; `finishSwaps` goes on from where a killed process was.
 *
 * @throws whatever the system refuses; the directory is then as it was
 */
export async function swapContents(directory: string, fresh: string): Promise<void> {
  const [replacing, replaced] = (['replacing', 'replaced'] as const).map((stage) =>
    join(directory, stageOf(basename(fresh), stage)),
  ) as [string, string];
  await mkdir(replacing);
  try {
    await moveOut(directory, replacing);
    await rename(replacing, replaced);
  } catch (error) {
    await restore(directory, replacing);
    throw error;
  }
  try {
    await moveIn(fresh, directory);
  } catch (error) {
    await moveOut(directory, fresh);
    await restore(directory, replaced);
    throw error;
  }
  await cleanUp(fresh, replaced);
}

/** Ends what killed processes have begun: back while the old was making way, forward once it had. */
export async function finishSwaps(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (isLeftover(name, 'replacing')) await restore(directory, join(directory, name));
    if (!isLeftover(name, 'replaced')) continue;
    const fresh = join(directory, stageOf(name, 'partial'));
    await moveIn(fresh, directory);
    await cleanUp(fresh, join(directory, name));
  }
}

async function restore(directory: string, old: string): Promise<void> {
  await moveIn(old, directory);
  await rmdir(old);
}

/** The manifest first: what is left is no bundle. */
async function moveOut(directory: string, into: string): Promise<void> {
  const names = await contentsOf(directory);
  for (const name of manifestLast(names).reverse()) await rename(join(directory, name), join(into, name));
}

/** The manifest last: what is there then is whole. */
async function moveIn(from: string, directory: string): Promise<void> {
  const names = await readdir(from).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  for (const name of manifestLast(names)) await rename(join(from, name), join(directory, name));
}

function manifestLast(names: readonly string[]): string[] {
  const others = names.filter((name) => name !== MANIFEST_NAME);
  return others.length < names.length ? [...others, MANIFEST_NAME] : others;
}

/** Files that somebody still reads may stay on some systems: the next import tries again. */
async function cleanUp(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}
