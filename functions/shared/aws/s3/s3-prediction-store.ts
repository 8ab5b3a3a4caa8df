import {
  JsonPredictionStore,
  type RecordName,
} from '../../../../lib/predictions/records/json-prediction-store.js';
import { formatOfName, type KeptPicture } from '../../../../lib/predictions/records/kept-pictures.js';
import { parseStored } from '../../parse-stored.js';
import type { S3Records } from './s3-records.js';

/** Predictions in a bucket, `predictions/{id}/{request,queued,result,webhook}.json`, and pictures; a lifecycle rule deletes them. */
export class S3PredictionStore extends JsonPredictionStore {
  readonly #records: S3Records;

  constructor(records: S3Records) {
    super();
    this.#records = records;
  }

  override async readPicture(id: string, name: string): Promise<Uint8Array | undefined> {
    if (!formatOfName(name)) return undefined;
    return (await this.#records.read(pictureKey(id, name)))?.bytes;
  }

  protected override async createPicture(id: string, { name, bytes }: KeptPicture): Promise<void> {
    await this.#records.writePicture(pictureKey(id, name), bytes, `image/${formatOfName(name)}`);
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

/** Of a picture beside the records of its prediction. */
export function pictureKey(id: string, name: string): string {
  return `predictions/${id}/${name}`;
}

function keyOf(id: string, name: RecordName): string {
  return `predictions/${id}/${name}.json`;
}
