import { lstat, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { makeFolders } from '../disk/make-folders.js';
import { FileSource } from '../sources/file-source.js';
import { isManifest, MANIFEST_NAME, MAX_MANIFEST_BYTES } from './read-manifest.js';
import { isLeftover, stagingName } from './staging-name.js';
import { contentsOf, finishSwaps, swapContents } from './swap-contents.js';

/** What is at the target before: an older bundle stays until the new one is whole. */
type Found = 'nothing' | 'empty directory' | 'bundle';

/**
 * A directory that appears whole or not at all. A new one is filled under another name beside its place, which it then
 * takes. One that exists, such as a mount point or the shell's own folder, stays the same directory: it is filled in a
 * folder inside it, on its own disk, whose contents then take their places, the manifest last.
 */
export class WholeDirectory {
  /** Where to write. What a killed process of this machine had written there may be in it. */
  readonly folder: string;
  readonly #target: string;
  readonly #to: string;
  readonly #found: Found;

  private constructor(target: string, to: string, folder: string, found: Found) {
    this.#target = target;
    this.#to = to;
    this.folder = folder;
    this.#found = found;
  }

  /** @throws AppError INVALID_INPUT when the target cannot be written or holds something else than a bundle */
  static async open(target: string): Promise<WholeDirectory> {
    // Behind a link, the bundle goes where the link leads.
    const to = await realpath(target).catch(() => resolve(target));
    const found = await checkTarget(to, target);
    // Inside, a folder has the bare name.
    const prefix = found === 'nothing' ? to : join(to, '/');
    return new WholeDirectory(target, to, await makeStaging(prefix, target), found);
  }

  /** For messages about room. */
  get description(): string {
    return this.#found === 'bundle' ? `${this.#target} (the bundle there stays until then)` : this.#target;
  }

  async publish(): Promise<void> {
    await this.writing(() =>
      this.#found === 'nothing' ? rename(this.folder, this.#to) : swapContents(this.#to, this.folder),
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

async function checkTarget(to: string, shown: string): Promise<Found> {
  try {
    await finishSwaps(to);
    const names = await contentsOf(to);
    if (names.length === 0) return 'empty directory';
    if (names.includes(MANIFEST_NAME) && (await holdsManifest(to))) return 'bundle';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isLink = code === 'ENOENT' && (await lstat(to).catch(() => undefined));
    if (code === 'ENOENT' && !isLink) return 'nothing';
    const reason = code === 'ENOTDIR' ? 'is a file, not a directory' : `cannot be read (${code})`;
    throw new AppError('INVALID_INPUT', `${shown} ${isLink ? 'is a link that leads nowhere' : reason}`, {
      cause,
    });
  }
  throw new AppError('INVALID_INPUT', `${shown} is not empty and not a bundle: name a new directory`);
}

/** Other programs have a `manifest.json`, too. */
async function holdsManifest(to: string): Promise<boolean> {
  const { signal } = new AbortController();
  return new FileSource(to).readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES, signal).then(isManifest, (error) => {
    if (error instanceof AppError) return false;
    throw error;
  });
}

/** @param prefix a place, or a directory with its separator */
async function makeStaging(prefix: string, shown: string): Promise<string> {
  const fresh = `${prefix}${stagingName()}`;
  const folder = dirname(fresh);
  try {
    await makeFolders(folder);
    const beginning = basename(fresh).slice(0, basename(fresh).lastIndexOf('.partial-'));
    const leftovers = (await readdir(folder)).filter(
      (name) => name.startsWith(beginning) && isLeftover(name.slice(beginning.length), 'partial'),
    );
    for (const name of leftovers) {
      const leftover = join(folder, name);
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
