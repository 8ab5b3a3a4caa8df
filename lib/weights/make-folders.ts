import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder and those above it. In place of Node's `recursive`, which tries for ever where the system
 * refuses with ENOENT, as below /proc (seen with 20.20).
 */
export async function makeFolders(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  await makeFolders(dirname(folder));
  await mkdir(folder).catch(async (error) => {
    // Another process may have made it meanwhile.
    if (!(await isFolder(folder))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
