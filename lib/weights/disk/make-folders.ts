import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder and those above it. In place of Node's `recursive`, which tries for ever where the system
 * refuses with ENOENT, as below /proc (seen with 20.20).
 *
 * @param mode of those that are made, less the process's umask
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<void> {
  if (await isFolder(folder)) return;
  await makeFolders(dirname(folder), mode);
  await mkdir(folder, mode).catch(async (error) => {
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
