import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../errors/app-error.js';
import { makeFolders } from '../weights/disk/make-folders.js';
import { tryLock } from '../weights/disk/try-lock.js';
import { DEFAULT_KEY_NAME, type KeyFile, MAX_KEYS } from './key-file.js';
import type { KeyInfo, KeyLimits, KeyStore } from './key-store.js';
import { KEY_FILE, readKeyFile } from './read-key-file.js';

/** 160 bits: nobody guesses one, also who has the file with its digest. */
const KEY_BYTES = 20;
/** Between looks at a lock that another command has, and so many of them. */
const LOOK_MS = 50;
const MAX_LOOKS = 100;

/** The SHA-256 of a key, as the file has it. */
export function keyDigest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Keys of a service at home: a file in its data folder that has nothing but their digests. A service that runs sees each change. */
export class FileKeys implements KeyStore {
  readonly #folder: string;
  readonly #file: string;

  /** @param folder that the service has its data in; made with the first key */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, KEY_FILE);
  }

  async add(name: string, limits: KeyLimits): Promise<string> {
    if (name === DEFAULT_KEY_NAME)
      throw new AppError('INVALID_INPUT', `${name} is the key of serve --api-key: choose another name`);
    const key = randomBytes(KEY_BYTES).toString('hex');
    await this.#change(({ keys }) => {
      if (keys.some((each) => each.name === name))
        throw new AppError('CONFLICT', `there is a key ${name}: remove it first, or choose another name`);
      if (keys.length >= MAX_KEYS) throw new AppError('UNSUPPORTED', `there are ${MAX_KEYS} keys, the most`);
      const created_at = new Date().toISOString();
      return { keys: [...keys, { name, sha256: keyDigest(key), created_at, ...limits }] };
    });
    return key;
  }

  async list(): Promise<readonly KeyInfo[]> {
    const { keys } = await readKeyFile(this.#file);
    return keys.map(({ sha256: _, created_at: createdAt, ...key }) => ({ ...key, createdAt }));
  }

  async remove(name: string): Promise<void> {
    await this.#change(({ keys }) => {
      const left = keys.filter((each) => each.name !== name);
      if (left.length < keys.length) return { keys: left };
      throw new AppError('NOT_FOUND', `there is no key ${name} in ${this.#file}`);
    });
  }

  /** One command after the other; whoever reads meanwhile has the file before or the file after. */
  async #change(change: (file: KeyFile) => KeyFile): Promise<void> {
    const lock = await this.#lock();
    try {
      const changed = change(await readKeyFile(this.#file));
      await this.#write(`${JSON.stringify(changed, undefined, 2)}\n`);
    } finally {
      await lock.close();
    }
  }

  async #write(text: string): Promise<void> {
    const partial = `${this.#file}.${randomUUID()}.partial`;
    try {
      await writeFile(partial, text, { mode: 0o600, flush: true });
      await rename(partial, this.#file);
    } catch (cause) {
      throw unusable(this.#folder, cause);
    } finally {
      await rm(partial, { force: true }).catch(() => undefined);
    }
  }

  /** The lock's file stays: whoever removed it could remove the lock of the next one. */
  async #lock() {
    const handle = await this.#openLock().catch((cause) => {
      throw unusable(this.#folder, cause);
    });
    try {
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        if (tryLock(handle.fd)) return handle;
        await pause(LOOK_MS);
      }
    } catch (cause) {
      await handle.close();
      throw unusable(this.#folder, cause);
    }
    await handle.close();
    throw new AppError('UNAVAILABLE', `the keys in ${this.#folder} are being changed by another command`);
  }

  async #openLock() {
    await makeFolders(this.#folder, 0o700);
    return open(`${this.#file}.lock`, 'a+', 0o600);
  }
}

function unusable(folder: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  return new AppError('INVALID_INPUT', `--data ${folder} cannot be written to (${code})`, { cause });
}
