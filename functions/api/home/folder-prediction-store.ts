import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../lib/errors/app-error.js';
import {
  JsonPredictionStore,
  RECORD_NAMES,
  type RecordName,
} from '../../../lib/predictions/json-prediction-store.js';
import { predictionIdSchema } from '../../../lib/schemas/prediction.js';
import { parseStored } from '../../shared/parse-stored.js';
import { writeOnce } from './write-once.js';

/** Four pictures of 2048 x 2048 that PNG cannot make smaller, in base64. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

export interface StoredPrediction {
  readonly id: string;
  /** Which of its records there are. */
  readonly records: ReadonlySet<RecordName>;
  /** When it was last written to. Milliseconds since 1970. */
  readonly changed: number;
}

/** Predictions as files, laid out as in the bucket: `predictions/{id}/{request,queued,result,webhook}.json`. */
export class FolderPredictionStore extends JsonPredictionStore {
  readonly #root: string;

  /** @param folder made with the first record */
  constructor(folder: string) {
    super();
    this.#root = join(folder, 'predictions');
  }

  /** Everything that is there, least recently changed first. */
  async list(): Promise<StoredPrediction[]> {
    const ids = (await namesIn(this.#root)).filter((name) => predictionIdSchema.safeParse(name).success);
    const found: StoredPrediction[] = [];
    for (const id of ids) {
      const folder = join(this.#root, id);
      const names = await namesIn(folder);
      const records = RECORD_NAMES.filter((name) => names.includes(`${name}.json`));
      const changed = await stat(folder).then(({ mtimeMs }) => mtimeMs, absent);
      if (changed !== undefined) found.push({ id, records: new Set(records), changed });
    }
    return found.sort((a, b) => a.changed - b.changed);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#folder(id), { recursive: true, force: true });
  }

  protected override async create(id: string, name: RecordName, record: unknown): Promise<boolean> {
    const file = join(this.#folder(id), `${name}.json`);
    try {
      return await writeOnce(file, JSON.stringify(record));
    } catch (cause) {
      throw unavailable('written to', cause);
    }
  }

  protected override async read(id: string, name: RecordName): Promise<unknown> {
    const file = join(this.#folder(id), `${name}.json`);
    const text = await this.#readText(file);
    return text === undefined ? undefined : parseStored(text, file);
  }

  async #readText(file: string): Promise<string | undefined> {
    try {
      const handle = await open(file);
      try {
        const { size } = await handle.stat();
        if (size > MAX_RECORD_BYTES) throw new AppError('INVALID_FILE', `${file} is too long for a record`);
        return await handle.readFile('utf8');
      } finally {
        await handle.close();
      }
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      return absent(cause);
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

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(absent)) ?? [];
}

function absent(cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw unavailable('read', cause);
}

function unavailable(what: string, cause: unknown): AppError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new AppError('UNAVAILABLE', `the store of predictions could not be ${what} (${reason})`, { cause });
}
