import type * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import {
  type RequestRecord,
  type ResultRecord,
  requestRecordSchema,
  resultRecordSchema,
  type WebhookRecord,
  webhookRecordSchema,
} from '../schemas/prediction.js';
import type { PredictionStore } from './prediction-store.js';

export const RECORD_NAMES = ['request', 'queued', 'result', 'webhook'] as const;
export type RecordName = (typeof RECORD_NAMES)[number];

/** A prediction as up to four JSON records, `{id}/{name}.json`, wherever they lie. What is read is checked. */
export abstract class JsonPredictionStore implements PredictionStore {
  /** @returns false when there is one already */
  protected abstract create(id: string, name: RecordName, record: unknown): Promise<boolean>;
  /** @returns what has been parsed, undefined where there is none */
  protected abstract read(id: string, name: RecordName): Promise<unknown>;

  createRequest(record: RequestRecord): Promise<boolean> {
    return this.create(record.id, 'request', record);
  }

  readRequest(id: string): Promise<RequestRecord | undefined> {
    return this.#readChecked(id, 'request', requestRecordSchema);
  }

  markQueued(id: string): Promise<boolean> {
    return this.create(id, 'queued', {});
  }

  async isQueued(id: string): Promise<boolean> {
    return (await this.read(id, 'queued')) !== undefined;
  }

  createResult(id: string, record: ResultRecord): Promise<boolean> {
    return this.create(id, 'result', record);
  }

  readResult(id: string): Promise<ResultRecord | undefined> {
    return this.#readChecked(id, 'result', resultRecordSchema);
  }

  createWebhook(id: string, record: WebhookRecord): Promise<boolean> {
    return this.create(id, 'webhook', record);
  }

  readWebhook(id: string): Promise<WebhookRecord | undefined> {
    return this.#readChecked(id, 'webhook', webhookRecordSchema);
  }

  async #readChecked<T>(id: string, name: RecordName, schema: z.ZodType<T>): Promise<T | undefined> {
    const record = await this.read(id, name);
    if (record === undefined) return undefined;
    const { data, error } = schema.safeParse(record);
    if (error) {
      const message = `prediction ${id}: ${name}.json is not what this version writes`;
      throw new AppError('INVALID_FILE', message, { cause: error });
    }
    return data;
  }
}
