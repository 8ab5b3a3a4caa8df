import type { z } from 'zod';
import { AppError } from '../../../lib/errors/app-error.js';
import type { PredictionStore } from '../../../lib/predictions/prediction-store.js';
import {
  type RequestRecord,
  type ResultRecord,
  requestRecordSchema,
  resultRecordSchema,
  type WebhookRecord,
  webhookRecordSchema,
} from '../../../lib/schemas/prediction.js';
import type { S3Records } from './s3-records.js';

/** `predictions/{id}/request.json`, `result.json` and `webhook.json`; a lifecycle rule deletes them. */
export class S3PredictionStore implements PredictionStore {
  readonly #records: S3Records;

  constructor(records: S3Records) {
    this.#records = records;
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

  #create(id: string, name: string, value: unknown): Promise<boolean> {
    return this.#records.write(keyOf(id, name), value, { IfNoneMatch: '*' });
  }

  async #read<T>(id: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const key = keyOf(id, name);
    const record = await this.#records.read(key);
    if (!record) return undefined;
    const { data, error } = schema.safeParse(record.value);
    if (error) throw new AppError('INVALID_FILE', `${key} is not what this version writes`, { cause: error });
    return data;
  }
}

function keyOf(id: string, name: string): string {
  return `predictions/${id}/${name}.json`;
}
