import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '../errors/app-error.js';

/**
 * Fills a directory so that it appears whole or not at all: `fill` writes into a new directory beside
 * it, which then takes its place. A bundle that was there before stays until that moment.
 *
 * @throws AppError INVALID_INPUT when the target cannot be written or holds something else than a bundle
 */
export async function writeWhole(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  // Behind a link, the bundle goes where the link leads.
  const to = await realpath(target).catch(() => resolve(target));
  const occupied = await checkTarget(to, target);
  const fresh = await makeBeside(to, target);
  try {
    await fill(fresh);
    if (occupied) await replace(fresh, to);
    else await rename(fresh, to);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (error instanceof AppError || !isSystemError(error)) throw error;
    throw new AppError('INTERNAL', `${target} cannot be written: ${error.message}`, { cause: error });
  }
}

/** A full disk and the like, as against a defect of ours. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Returns whether a bundle is there already. */
async function checkTarget(to: string, shown: string): Promise<boolean> {
  const entries = await readdir(to).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === 'ENOENT') return [];
    const reason = cause.code === 'ENOTDIR' ? 'is a file, not a directory' : `cannot be read (${cause.code})`;
    throw new AppError('INVALID_INPUT', `${shown} ${reason}`, { cause });
  });
  if (entries.length > 0 && !entries.includes('manifest.json')) {
    throw new AppError('INVALID_INPUT', `${shown} is not empty and not a bundle: name a new directory`);
  }
  return entries.length > 0;
}

async function makeBeside(to: string, shown: string): Promise<string> {
  try {
    await mkdir(dirname(to), { recursive: true });
    const fresh = `${to}.partial-${randomUUID()}`;
    await mkdir(fresh);
    return fresh;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('INVALID_INPUT', `${shown} cannot be written (${reason})`, { cause });
  }
}

async function replace(fresh: string, to: string): Promise<void> {
  const old = `${fresh}-old`;
  await rename(to, old);
  await rename(fresh, to).catch(async (error) => {
    await rename(old, to);
    throw error;
  });
  await rm(old, { recursive: true });
}
