import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { diskError } from '../../weights/disk/disk-error.js';

/**
 * Writes a folder whole, or not at all: all files are written into another one, which then takes its place. An empty one
 * that is there stays the same folder, since it may be the shell's own: it gets the files.
 *
 * @throws AppError INVALID_INPUT where something is there already
 */
export async function writeNewFolder(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const isThere = await isEmptyFolder(folder);
  const place = isThere ? await realpath(folder) : resolve(folder);
  const staging = join(isThere ? place : dirname(place), `.sd-turbo-${randomUUID()}`);
  let made: string | undefined;
  try {
    made = await mkdir(staging, { recursive: true });
    for (const [name, text] of Object.entries(files))
      await writeFile(join(staging, name), text, { flag: 'wx' });
    if (isThere) await moveUp(staging, Object.keys(files));
    else await rename(staging, place);
  } catch (error) {
    // With the folders above it that were not there.
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    throw diskError(folder, error as NodeJS.ErrnoException);
  }
}

/**
 * @returns false where nothing is there
 * @throws AppError INVALID_INPUT
 */
async function isEmptyFolder(folder: string): Promise<boolean> {
  try {
    if ((await readdir(folder)).length === 0) return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isLink = code === 'ENOENT' && (await lstat(folder).catch(() => undefined));
    if (code === 'ENOENT' && !isLink) return false;
    const reason = code === 'ENOTDIR' ? 'is a file, or below one' : `cannot be read (${code})`;
    throw new AppError('INVALID_INPUT', `${folder} ${isLink ? 'is a link that leads nowhere' : reason}`, {
      cause,
    });
  }
  throw new AppError('INVALID_INPUT', `${folder} is not empty: name a new directory`);
}

async function moveUp(staging: string, names: readonly string[]): Promise<void> {
  const folder = dirname(staging);
  const moved: string[] = [];
  try {
    for (const name of names) {
      await rename(join(staging, name), join(folder, name));
      moved.push(join(folder, name));
    }
    await rmdir(staging);
  } catch (error) {
    for (const path of moved) await rm(path, { force: true });
    throw error;
  }
}
