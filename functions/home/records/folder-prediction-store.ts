import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../lib/errors/app-error.js';
import type { Claim, ClaimState } from '../../../lib/predictions/records/claims.js';
import {
  JsonPredictionStore,
  RECORD_NAMES,
  type RecordName,
} from '../../../lib/predictions/records/json-prediction-store.js';
import { formatOfName, type KeptPicture } from '../../../lib/predictions/records/kept-pictures.js';
import { predictionIdSchema, type ResultRecord } from '../../../lib/schemas/prediction.js';
import { parseStored } from '../../shared/parse-stored.js';
import { fileFault } from './file-fault.js';
import { FolderIndex } from './folder-index.js';
import { MemoryClaims } from './memory-claims.js';
import { readPlainFile } from './read-plain-file.js';
import { removePartials, writeOnce } from './write-once.js';

/** Four pictures of 2048 x 2048 that PNG cannot make smaller, in base64. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/** One of them. */
const MAX_PICTURE_BYTES = 16 * 1024 * 1024;

export interface StoredPrediction {
  readonly id: string;
  /** Which of its records there are. */
  readonly records: ReadonlySet<RecordName>;
  /** When it was last written to. Milliseconds since 1970. */
  readonly changed: number;
  /** Why nobody knows which records it has. */
  readonly trouble?: AppError;
}

/** Predictions as files, laid out as in the bucket: `predictions/{id}/{request,queued,result,webhook}.json`, and pictures. */
export class FolderPredictionStore extends JsonPredictionStore {
  readonly #root: string;
  readonly #claims = new MemoryClaims();
  readonly #index: FolderIndex;

  /** @param folder made with the first record */
  constructor(folder: string) {
    super();
    this.#root = join(folder, 'predictions');
    this.#index = new FolderIndex(folder);
  }

  /**
   * Every prediction that is there, least recently changed first. What else lies in the folder is none.
   *
   * @throws AppError UNAVAILABLE where the folder itself cannot be read
   */
  async list(): Promise<StoredPrediction[]> {
    const names = await readdir(this.#root).catch((cause) => absent('the store of predictions', cause));
    const found: StoredPrediction[] = [];
    for (const id of names ?? []) {
      const prediction = predictionIdSchema.safeParse(id).success ? await this.#look(id) : undefined;
      if (prediction) found.push(prediction);
    }
    return found.sort((a, b) => a.changed - b.changed);
  }

  async remove(id: string): Promise<void> {
    const folder = this.#folder(id);
    this.#claims.forget(id);
    await rm(folder, { recursive: true, force: true }).catch((cause) => {
      throw fileFault(`prediction ${id} cannot be removed`, cause);
    });
  }

  override readClaim(id: string): Promise<Claim | undefined> {
    return this.#claims.readClaim(id);
  }

  override replaceClaim(id: string, state: ClaimState, version?: string): Promise<string | undefined> {
    return this.#claims.replaceClaim(id, state, version);
  }

  override async createResult(
    id: string,
    record: ResultRecord,
    pictures: readonly KeptPicture[] = [],
  ): Promise<boolean> {
    const isFirst = await super.createResult(id, record, pictures);
    this.#claims.ended(id);
    return isFirst;
  }

  override enlist(owner: string, name: string): Promise<void> {
    return this.#index.enlist(owner, name);
  }

  override listOwned(owner: string, limit: number, after?: string): Promise<readonly string[]> {
    return this.#index.listOwned(owner, limit, after);
  }

  /** Removes entries of lists that are older than `time`, milliseconds since 1970. */
  removeListed(time: number): Promise<void> {
    return this.#index.removeBefore(time);
  }

  /** Removes what writes of a process that died have left. Nobody may write meanwhile. */
  async removePartials(): Promise<void> {
    for (const { id } of await this.list()) await removePartials(this.#folder(id));
  }

  override async readPicture(id: string, name: string): Promise<Uint8Array | undefined> {
    if (!formatOfName(name)) return undefined;
    try {
      return await readPlainFile(join(this.#folder(id), name), MAX_PICTURE_BYTES);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw fileFault(`prediction ${id}: ${name} cannot be read`, cause);
    }
  }

  protected override async createPicture(id: string, { name, bytes }: KeptPicture): Promise<void> {
    await this.#writeOnce(id, name, bytes);
  }

  protected override async readHead(id: string, name: RecordName, bytes: number) {
    const file = join(this.#folder(id), `${name}.json`);
    try {
      return await readPlainFile(file, MAX_RECORD_BYTES, bytes);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw fileFault(`prediction ${id}: ${name}.json cannot be read`, cause);
    }
  }

  protected override create(id: string, name: RecordName, record: unknown): Promise<boolean> {
    return this.#writeOnce(id, `${name}.json`, JSON.stringify(record));
  }

  protected override async read(id: string, name: RecordName): Promise<unknown> {
    const file = join(this.#folder(id), `${name}.json`);
    try {
      const bytes = await readPlainFile(file, MAX_RECORD_BYTES);
      return bytes && parseStored(bytes, file);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw fileFault(`prediction ${id}: ${name}.json cannot be read`, cause);
    }
  }

  async #writeOnce(id: string, name: string, content: string | Uint8Array): Promise<boolean> {
    const file = join(this.#folder(id), name);
    try {
      return await writeOnce(file, content);
    } catch (cause) {
      throw fileFault('the store of predictions cannot be written to', cause);
    }
  }

  async #look(id: string): Promise<StoredPrediction | undefined> {
    const folder = this.#folder(id);
    const stats = await stat(folder).catch(() => undefined);
    if (!stats?.isDirectory()) return undefined;
    const changed = stats.mtimeMs;
    try {
      const names = (await readdir(folder).catch((cause) => absent(`prediction ${id}`, cause))) ?? [];
      return { id, changed, records: new Set(RECORD_NAMES.filter((name) => names.includes(`${name}.json`))) };
    } catch (error) {
      return { id, changed, records: new Set(), trouble: error as AppError };
    }
  }

  /** @throws AppError INVALID_INPUT: what is no id becomes no path */
  #folder(id: string): string {
    if (!predictionIdSchema.safeParse(id).success) {
      throw new AppError('INVALID_INPUT', 'a prediction has an id of 32 letters a-z and digits 2-7');
    }
    return join(this.#root, id);
  }
}

function absent(what: string, cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFault(`${what} cannot be read`, cause);
}
