import { stat } from 'node:fs/promises';
import { AppError } from '../../../lib/errors/app-error.js';
import { keyDigest } from '../../../lib/keys/file-keys.js';
import { DEFAULT_KEY_NAME, type KeyRecord } from '../../../lib/keys/key-file.js';
import { readKeyFile } from '../../../lib/keys/read-key-file.js';
import { ProblemError } from '../../shared/problem-response.js';
import type { QuotaCount } from './quota-count.js';
import { RequestRate } from './request-rate.js';

const DAY_MS = 86_400_000;

export interface KeyRingProps {
  /** The key that opens everything, named `default`: it has no limits. */
  readonly defaultKey: string;
  /** Of the others. It need not be there. */
  readonly file: string;
  readonly quotas: QuotaCount;
  /** Told of a file that cannot be read: none of its keys is good then. */
  readonly onTrouble: (what: string, error: unknown) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** The keys of a service at home, and what each may do. The file is read anew when it has changed. */
export class KeyRing {
  readonly #props: KeyRingProps;
  readonly #defaultDigest: string;
  readonly #rate = new RequestRate();
  /** By digest: who knows how long a look takes knows something of the digest, and nothing of the key. */
  #keys: ReadonlyMap<string, KeyRecord> | undefined = new Map();
  /** Of the file that `#keys` is from. */
  #version: string | undefined;

  constructor(props: KeyRingProps) {
    this.#props = props;
    this.#defaultDigest = keyDigest(props.defaultKey);
  }

  /**
   * Lets a request in, and counts it.
   *
   * @returns the name of its key
   * @throws ProblemError 401 for a key that is not good, 429 for one that is used up; AppError UNAVAILABLE where nobody can say
   */
  async admit(key: string): Promise<string> {
    const digest = keyDigest(key);
    if (digest === this.#defaultDigest) return DEFAULT_KEY_NAME;
    const keys = await this.#read();
    if (!keys) throw new AppError('UNAVAILABLE', 'the keys of this service cannot be read; the log says why');
    const found = keys.get(digest);
    if (!found) throw new ProblemError(401, 'this key is not known');
    this.#count(found);
    return found.name;
  }

  #count({ name, quota, rate }: KeyRecord): void {
    const now = (this.#props.now ?? Date.now)();
    if (rate !== undefined && !this.#rate.take(name, rate, now))
      throw new ProblemError(429, `more than the ${rate} requests a second of this key`, {
        'retry-after': '1',
      });
    if (quota === undefined || this.#props.quotas.take(name, quota, now)) return;
    const words = `the ${quota.limit} requests a ${quota.period} of this key are used up`;
    throw new ProblemError(429, words, { 'retry-after': String(secondsLeftToday(now)) });
  }

  async #read(): Promise<ReadonlyMap<string, KeyRecord> | undefined> {
    const { file, onTrouble } = this.#props;
    const version = await versionOf(file);
    if (version === this.#version) return this.#keys;
    try {
      const { keys } = await readKeyFile(file);
      this.#keys = new Map(keys.map((key) => [key.sha256, key]));
    } catch (error) {
      this.#keys = undefined;
      onTrouble('no key but the default one is good', error);
    }
    // Looked at before it was read: what has changed meanwhile is seen at the next request.
    this.#version = version;
    return this.#keys;
  }
}

/** Another one whenever the file is another: it is replaced, and never written to. */
async function versionOf(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof stats !== 'object') return String(stats);
  return `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

/** A month is looked at again each day: somebody may have raised the quota. */
function secondsLeftToday(now: number): number {
  return Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
}
