import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { AppError } from '../../../lib/errors/app-error.js';
import { MAX_KEYS, type Quota } from '../../../lib/keys/key-file.js';
import { parseStored } from '../../shared/parse-stored.js';
import { readPlainFile } from '../records/read-plain-file.js';

const countsSchema = z.record(
  z.string(),
  z.strictObject({ period: z.string().max(10), requests: z.int().min(0) }),
);
type Counts = z.infer<typeof countsSchema>;

const MAX_BYTES = 256 * MAX_KEYS;
/** A process that is killed forgets what came in so short a time. Milliseconds. */
const WRITE_AFTER_MS = 1_000;

export interface QuotaCountProps {
  readonly file: string;
  /** Told of a file that cannot be read or written: counting goes on without it. */
  readonly onTrouble: (what: string, error: unknown) => void;
}

/** Requests of each key with a quota, in its day or month, over restarts. */
export class QuotaCount {
  readonly #props: QuotaCountProps;
  readonly #counts: Counts;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(props: QuotaCountProps, counts: Counts) {
    this.#props = props;
    this.#counts = counts;
  }

  static async open(props: QuotaCountProps): Promise<QuotaCount> {
    const { file, onTrouble } = props;
    try {
      const bytes = await readPlainFile(file, MAX_BYTES);
      return new QuotaCount(props, bytes ? parse(bytes, file) : {});
    } catch (error) {
      onTrouble('the requests of keys are counted anew', error);
      return new QuotaCount(props, {});
    }
  }

  /**
   * Counts a request of a key.
   *
   * @param now milliseconds since 1970
   * @returns whether its quota lets it in; what it does not let in is not counted
   */
  take(name: string, { limit, period }: Quota, now: number): boolean {
    const current = new Date(now).toISOString().slice(0, period === 'day' ? 10 : 7);
    const counted = this.#counts[name];
    const requests = counted?.period === current ? counted.requests : 0;
    if (requests >= limit) return false;
    this.#counts[name] = { period: current, requests: requests + 1 };
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_AFTER_MS);
    return true;
  }

  async close(): Promise<void> {
    if (this.#timer) await this.#write();
    await this.#writing;
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One after the other: the last one has the newest counts.
    this.#writing = this.#writing.then(() => this.#replace());
    return this.#writing;
  }

  async #replace(): Promise<void> {
    const { file, onTrouble } = this.#props;
    const partial = `${file}.${randomUUID()}.partial`;
    try {
      await writeFile(partial, JSON.stringify(this.#counts), { mode: 0o600 });
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      onTrouble('the requests of keys are counted in memory only', error);
    }
  }
}

function parse(bytes: Uint8Array, file: string): Counts {
  const { data } = countsSchema.safeParse(parseStored(bytes, file));
  if (data) return data;
  throw new AppError('INVALID_FILE', `${file} is not what this version writes`);
}
