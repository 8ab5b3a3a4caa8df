import { randomUUID } from 'node:crypto';
import { constants, writeFile as writeFileTo } from 'node:fs';
import { chmod, chown, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../errors/app-error.js';
import { type OldFile, type Output, STDOUT, type Target } from './output.js';

/** A file that is a mount point itself, as in containers, and one whose owner this user cannot make another file's. */
const STAYS: ReadonlySet<string | undefined> = new Set(['EBUSY', 'EXDEV', 'EPERM', 'EACCES']);

/**
 * Writes a picture: a file is there whole or not at all, and keeps its mode and owner.
 *
 * @throws AppError UNAVAILABLE; of stdout, `main.ts` hears
 */
export async function writeOutput({ name, target }: Output, bytes: Uint8Array): Promise<void> {
  try {
    await writeTarget(target, bytes);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('UNAVAILABLE', `--out: ${name} cannot be written (${reason})`, {
      cause,
      retryable: false,
    });
  }
}

async function writeTarget(target: Target, bytes: Uint8Array): Promise<void> {
  if (target.kind === 'into') return writeInto(target.path, bytes);
  if (target.kind === 'file') return replace(target.path, target.old, bytes);
  if (target.descriptor !== STDOUT) return promisify(writeFileTo)(target.descriptor, bytes);
  await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
}

async function replace(path: string, old: OldFile | undefined, bytes: Uint8Array): Promise<void> {
  // A name of its own: the file's may be as long as names can be.
  const partial = join(dirname(path), `.sd-turbo-${randomUUID()}`);
  try {
    await writeFile(partial, bytes, { flag: 'wx', mode: old ? 0o600 : 0o666 });
    if (old) {
      await chown(partial, old.uid, old.gid);
      await chmod(partial, old.mode & 0o7777);
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (!old || !STAYS.has((error as NodeJS.ErrnoException).code)) throw error;
    await writeInto(path, bytes);
  }
}

async function writeInto(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_TRUNC);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}
