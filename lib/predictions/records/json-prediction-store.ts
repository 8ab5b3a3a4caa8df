import type * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import {
  type RequestRecord,
  type ResultEnd,
  type ResultRecord,
  requestRecordSchema,
  resultRecordSchema,
  type WebhookRecord,
  webhookRecordSchema,
} from '../../schemas/prediction.js';
import type { Claim, ClaimState } from './claims.js';
import type { KeptPicture } from './kept-pictures.js';
import type { PredictionStore } from './prediction-store.js';
import { UnreadableRecord } from './unreadable-record.js';

export const RECORD_NAMES = ['request', 'queued', 'result', 'webhook'] as const;
export type RecordName = (typeof RECORD_NAMES)[number];

/** What `JSON.stringify` writes first of a result, of this version and of those before. */
const HEAD = /^\{"status":"(succeeded|failed|canceled)","completed_at":"(\d{4}-[\d:.T-]{6,30}Z)"[,}]/;
/** Longer than that. */
const HEAD_BYTES = 128;

/** A record of nothing but wrong fields is told by some of them. */
const MAX_ISSUES = 5;

/** A prediction as up to four JSON records, `{id}/{name}.json`, and pictures beside them, wherever they lie. Records that are read are checked. */
export abstract class JsonPredictionStore implements PredictionStore {
  /** @returns false when there is one already */
  protected abstract create(id: string, name: RecordName, record: unknown): Promise<boolean>;
  /**
   * @returns what has been parsed, undefined where there is none
   * @throws AppError INVALID_FILE for what never will be
   */
  protected abstract read(id: string, name: RecordName): Promise<unknown>;
  /** Leaves one that is there as it is. */
  protected abstract createPicture(id: string, picture: KeptPicture): Promise<void>;
  abstract readPicture(id: string, name: string): Promise<Uint8Array | undefined>;

  /** @returns the first `bytes` of it, or all; undefined where there is none */
  protected abstract readHead(id: string, name: RecordName, bytes: number): Promise<Uint8Array | undefined>;

  abstract readClaim(id: string): Promise<Claim | undefined>;
  abstract replaceClaim(id: string, state: ClaimState, version?: string): Promise<string | undefined>;
  abstract enlist(owner: string, name: string): Promise<void>;
  abstract listOwned(owner: string, limit: number, after?: string): Promise<readonly string[]>;

  createRequest(record: RequestRecord): Promise<boolean> {
    return this.create(record.id, 'request', record);
  }

  async readRequest(id: string): Promise<RequestRecord | undefined> {
    const record = await this.#readChecked(id, 'request', requestRecordSchema);
    // Copied by somebody: what is drawn for it would become another one's.
    if (record && record.id !== id)
      throw new UnreadableRecord(id, 'request', new Error(`it is of prediction ${record.id}`));
    return record;
  }

  markQueued(id: string): Promise<boolean> {
    return this.create(id, 'queued', {});
  }

  async isQueued(id: string): Promise<boolean> {
    // All that it says is that it is there.
    const marker = await this.#read(id, 'queued').catch((error) => {
      if (!(error instanceof UnreadableRecord)) throw error;
      return error;
    });
    return marker !== undefined;
  }

  async createResult(
    id: string,
    record: ResultRecord,
    pictures: readonly KeptPicture[] = [],
  ): Promise<boolean> {
    await this.createPictures(id, pictures);
    return this.create(id, 'result', record);
  }

  readResult(id: string): Promise<ResultRecord | undefined> {
    return this.#readChecked(id, 'result', resultRecordSchema);
  }

  async readEnd(id: string): Promise<ResultEnd | undefined> {
    const head = await this.readHead(id, 'result', HEAD_BYTES).catch((error) => {
      // What is no file: told by whoever reads all of it.
      if (error instanceof AppError && error.code === 'INVALID_FILE') return new Uint8Array();
      throw error;
    });
    if (!head) return undefined;
    const [, status, completed_at] = HEAD.exec(new TextDecoder('latin1').decode(head)) ?? [];
    if (status === undefined || completed_at === undefined) return this.readResult(id);
    return { status: status as ResultEnd['status'], completed_at };
  }

  async createPictures(id: string, pictures: readonly KeptPicture[]): Promise<void> {
    await Promise.all(pictures.map((picture) => this.createPicture(id, picture)));
  }

  createWebhook(id: string, record: WebhookRecord): Promise<boolean> {
    return this.create(id, 'webhook', record);
  }

  readWebhook(id: string): Promise<WebhookRecord | undefined> {
    return this.#readChecked(id, 'webhook', webhookRecordSchema);
  }

  async #readChecked<T>(id: string, name: RecordName, schema: z.ZodType<T>): Promise<T | undefined> {
    const record = await this.#read(id, name);
    if (record === undefined) return undefined;
    const { data, error } = schema.safeParse(record);
    if (error)
      throw new UnreadableRecord(id, name, new Error(`it is not what this version writes: ${wrong(error)}`));
    return data;
  }

  async #read(id: string, name: RecordName): Promise<unknown> {
    try {
      return await this.read(id, name);
    } catch (error) {
      if (error instanceof AppError && error.code === 'INVALID_FILE')
        throw new UnreadableRecord(id, name, error);
      throw error;
    }
  }
}

/** Which fields are wrong, and how. Values and names of fields that nobody knows are left out: prompts could be in them. */
function wrong({ issues }: z.ZodError): string {
  const shown = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, code }) => `${path.join('.') || 'the record'} ${code}`);
  return shown.join(', ');
}
