import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../../../lib/errors/app-error.js';
import type { PredictionStore } from '../../../lib/predictions/prediction-store.js';
import {
  predictionIdSchema,
  type RequestRecord,
  type ResultRecord,
  requestRecordSchema,
  resultRecordSchema,
  type WebhookRecord,
  webhookRecordSchema,
} from '../../../lib/schemas/prediction.js';
import { writeOnce } from './write-once.js';

/** Four pictures of 2048 x 2048 that PNG cannot make smaller, in base64. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

export type RecordName = 'request' | 'result' | 'webhook';

export interface StoredPrediction {
  readonly id: string;
  /** Which of its records there are. */
  readonly records: ReadonlySet<RecordName>;
  /** When it was last written to. Milliseconds since 1970. */
  readonly changed: number;
}

/** Predictions as files, laid out as in the bucket: `predictions/{id}/{request,result,webhook}.json`. */
export class FolderPredictionStore implements PredictionStore {
  readonly #root: string;

  /** @param folder made with the first record */
  constructor(folder: string) {
    this.#root = join(folder, 'predictions');
  }

  createRequest(record: RequestRecord): Promise<boolean> {
    return this.#create(record.id, 'request', record);
  }

  readRequest(id: string): Promise<RequestRecord | undefined> {
    return this.#read(id, 'request', requestRecordSchema);
  }

  createResult(id: string, record: ResultRecord): Promise<boolean> {
    return this.#create(id, 'result', record);
  }

  readResult(id: string): Promise<ResultRecord | undefined> {
    return this.#read(id, 'result', resultRecordSchema);
  }

  createWebhook(id: string, record: WebhookRecord): Promise<boolean> {
    return this.#create(id, 'webhook', record);
  }

  readWebhook(id: string): Promise<WebhookRecord | undefined> {
    return this.#read(id, 'webhook', webhookRecordSchema);
  }

  /** Everything that is there, least recently changed first. */
  async list(): Promise<StoredPrediction[]> {
    const ids = (await namesIn(this.#root)).filter((name) => predictionIdSchema.safeParse(name).success);
    const found: StoredPrediction[] = [];
    for (const id of ids) {
      const folder = join(this.#root, id);
      const names = await namesIn(folder);
      const records = (['request', 'result', 'webhook'] as const).filter((it) =>
        names.includes(`${it}.json`),
      );
      const changed = await stat(folder).then(({ mtimeMs }) => mtimeMs, absent);
      if (changed !== undefined) found.push({ id, records: new Set(records), changed });
    }
    return found.sort((a, b) => a.changed - b.changed);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#folder(id), { recursive: true, force: true });
  }

  async #create(id: string, name: RecordName, record: unknown): Promise<boolean> {
    const file = join(this.#folder(id), `${name}.json`);
    try {
      return await writeOnce(file, JSON.stringify(record));
    } catch (cause) {
      throw unavailable('written to', cause);
    }
  }

  async #read<S extends z.ZodType>(id: string, name: RecordName, schema: S): Promise<z.infer<S> | undefined> {
    const text = await this.#readText(join(this.#folder(id), `${name}.json`));
    if (text === undefined) return undefined;
    const { data, error } = schema.safeParse(parseJson(text));
    if (error) throw new AppError('INVALID_FILE', `prediction ${id}: ${name}.json is not such a record`);
    return data;
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function absent(cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw unavailable('read', cause);
}

function unavailable(what: string, cause: unknown): AppError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new AppError('UNAVAILABLE', `the store of predictions could not be ${what} (${reason})`, { cause });
}
