import {
  JsonPredictionStore,
  type RecordName,
} from '../../../../lib/predictions/records/json-prediction-store.js';
import { parseStored } from '../../parse-stored.js';
import type { S3Records } from './s3-records.js';

/** Predictions in a bucket, `predictions/{id}/{request,queued,result,webhook}.json`; a lifecycle rule deletes them. */
export class S3PredictionStore extends JsonPredictionStore {
  readonly #records: S3Records;

  constructor(records: S3Records) {
    super();
    this.#records = records;
  }

  protected override create(id: string, name: RecordName, record: unknown): Promise<boolean> {
    return this.#records.write(keyOf(id, name), record, { IfNoneMatch: '*' });
  }

  protected override async read(id: string, name: RecordName): Promise<unknown> {
    const key = keyOf(id, name);
    const stored = await this.#records.read(key);
    return stored && parseStored(stored.bytes, key);
  }
}

function keyOf(id: string, name: RecordName): string {
  return `predictions/${id}/${name}.json`;
}
