import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PARTIAL = /^\w+\.\w+\.[\da-f-]{36}\.partial$/;

/**
 * Writes a file that then stays as it is. It is there whole or not at all, also when this process or the whole
 * machine dies; when this returns, it is on the disk. A write that fails leaves nothing behind.
 *
 * @param file `NAME.EXTENSION`
 * @returns false where it was there already: nothing is written then
 */
export async function writeOnce(file: string, content: string | Uint8Array): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, content, { mode: 0o600, flush: true });
    // Unlike a rename, a link never replaces anything.
    await link(partial, file);
    await syncFolder(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await removeFile(partial);
    // Nothing but an empty folder is removed: one that was made for this file.
    await rmdir(folder).catch(() => undefined);
  }
}

/** Removes what writes of a process that died have left in a folder, and the folder where nothing else is in it. */
export async function removePartials(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (PARTIAL.test(name)) await removeFile(join(folder, name));
  await rmdir(folder).catch(() => undefined);
}

/** What cannot be removed now is removed at the next start: the error that is told is the write's. */
async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
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
