import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OwnerIndex, parseEntry } from '../../../lib/predictions/records/owner-index.js';
import { fileFault } from './file-fault.js';

const OWNER = /^[0-9a-f]{32}$/;

/** Whose predictions are whose, as empty files laid out as in the bucket: `owners/{owner}/{name}`. */
export class FolderIndex implements OwnerIndex {
  readonly #root: string;

  /** @param folder made with the first entry */
  constructor(folder: string) {
    this.#root = join(folder, 'owners');
  }

  async enlist(owner: string, name: string): Promise<void> {
    const folder = join(this.#root, owner);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(join(folder, name), '', { mode: 0o600 });
    } catch (cause) {
      throw fileFault('the list of predictions cannot be written to', cause);
    }
  }

  async listOwned(owner: string, limit: number, after = ''): Promise<readonly string[]> {
    const names = await this.#namesIn(join(this.#root, owner));
    return names
      .filter((name) => name > after && parseEntry(name))
      .sort()
      .slice(0, limit);
  }

  /** Removes entries of predictions that were accepted before `time`, milliseconds since 1970. */
  async removeBefore(time: number): Promise<void> {
    for (const owner of (await this.#namesIn(this.#root)).filter((name) => OWNER.test(name))) {
      const folder = join(this.#root, owner);
      for (const name of await this.#namesIn(folder)) {
        const entry = parseEntry(name);
        if (entry && entry.createdAt < time) await rm(join(folder, name), { force: true });
      }
      // Nothing but an empty folder is removed.
      await rmdir(folder).catch(() => undefined);
    }
  }

  async #namesIn(folder: string): Promise<string[]> {
    return readdir(folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return [];
      throw fileFault('the list of predictions cannot be read', cause);
    });
  }
}
