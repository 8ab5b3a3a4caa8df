import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file that then stays as it is. It is there whole or not at all, also when this process or the whole
 * machine dies; when this returns, it is on the disk.
 *
 * @returns false where it was there already: nothing is written then
 */
export async function writeOnce(file: string, text: string): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, text, { mode: 0o600, flush: true });
    // Unlike a rename, a link never replaces anything.
    await link(partial, file);
    await syncFolder(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}

/** A file's name is the folder's, and is as durable as that. Windows opens no folder. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
