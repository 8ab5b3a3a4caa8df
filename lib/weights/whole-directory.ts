import { randomUUID } from 'node:crypto';
import { readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../errors/app-error.js';
import { makeFolders } from './make-folders.js';

/**
 * A directory that appears whole or not at all: it is filled under another name beside its place, which it then
 * takes. A bundle that was there before stays until that moment.
 */
export class WholeDirectory {
  /** Where to write. What a killed process of this machine had written there may be in it. */
  readonly folder: string;
  readonly #target: string;
  readonly #to: string;
  readonly #isOccupied: boolean;

  private constructor(target: string, to: string, folder: string, isOccupied: boolean) {
    this.#target = target;
    this.#to = to;
    this.folder = folder;
    this.#isOccupied = isOccupied;
  }

  /** @throws AppError INVALID_INPUT when the target cannot be written or holds something else than a bundle */
  static async open(target: string): Promise<WholeDirectory> {
    // Behind a link, the bundle goes where the link leads.
    const to = await realpath(target).catch(() => resolve(target));
    const isOccupied = await checkTarget(to, target);
    return new WholeDirectory(target, to, await makeBeside(to, target), isOccupied);
  }

  async publish(): Promise<void> {
    await this.writing(() =>
      this.#isOccupied ? replace(this.folder, this.#to) : rename(this.folder, this.#to),
    );
  }

  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  /** @throws AppError INTERNAL that names the target, for a full disk and the like */
  async writing<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof AppError || !isSystemError(error)) throw error;
      throw new AppError('INTERNAL', `${this.#target} cannot be written: ${error.message}`, { cause: error });
    }
  }
}

/** As against a defect of ours. */
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
    await makeFolders(dirname(to));
    const fresh = `${to}.partial-${process.pid}-${randomUUID()}`;
    for (const leftover of await findLeftovers(to)) {
      // The first becomes the new folder, others go. Only one process can succeed in renaming.
      await rename(leftover, fresh).catch(() => rm(leftover, { recursive: true, force: true }));
    }
    await makeFolders(fresh);
    return fresh;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('INVALID_INPUT', `${shown} cannot be written (${reason})`, { cause });
  }
}

/** Folders that processes left behind which have been killed. */
async function findLeftovers(to: string): Promise<string[]> {
  const folder = dirname(to);
  const prefix = `${basename(to)}.partial-`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  const dead = names.filter((name) => {
    const pid = /^(\d+)-[0-9a-f-]{36}$/.exec(name.slice(prefix.length))?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
  return dead.map((name) => join(folder, name));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
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
