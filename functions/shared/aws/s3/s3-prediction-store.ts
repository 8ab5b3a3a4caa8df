import { randomUUID } from 'node:crypto';
import { CLAIM_STATES, type Claim, type ClaimState } from '../../../../lib/predictions/records/claims.js';
import {
  JsonPredictionStore,
  type RecordName,
} from '../../../../lib/predictions/records/json-prediction-store.js';
import { formatOfName, type KeptPicture } from '../../../../lib/predictions/records/kept-pictures.js';
import { parseStored } from '../../parse-stored.js';
import type { S3Records } from './s3-records.js';

/**
 * Predictions in a bucket, `predictions/{id}/{request,queued,result,webhook,claim}.json`, and pictures, and whose they are,
 * `owners/{owner}/{name}`; a lifecycle rule deletes them.
 */
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

  override async readClaim(id: string): Promise<Claim | undefined> {
    const stored = await this.#records.read(keyOf(id, 'claim'));
    return stored && { state: stateOf(stored.bytes), version: stored.etag };
  }

  override replaceClaim(id: string, state: ClaimState, version?: string): Promise<string | undefined> {
    const condition = version === undefined ? ({ IfNoneMatch: '*' } as const) : { IfMatch: version };
    // Of its own, since what has the same bytes has the same ETag.
    const claim = { state, token: randomUUID() };
    return this.#records.put(keyOf(id, 'claim'), claim, condition);
  }

  override async enlist(owner: string, name: string): Promise<void> {
    await this.#records.write(folderOf(owner) + name, {});
  }

  override async listOwned(owner: string, limit: number, after?: string): Promise<readonly string[]> {
    const folder = folderOf(owner);
    const keys = await this.#records.list(folder, limit, after === undefined ? undefined : folder + after);
    return keys.map((key) => key.slice(folder.length));
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

  protected override async readHead(id: string, name: RecordName, bytes: number) {
    return (await this.#records.read(keyOf(id, name), bytes))?.bytes;
  }
}

/** Of what is damaged nobody knows whether it is being drawn. */
function stateOf(bytes: Uint8Array): ClaimState {
  const text = new TextDecoder().decode(bytes);
  return CLAIM_STATES.find((state) => text.startsWith(`{"state":"${state}"`)) ?? 'drawing';
}

/** Of a picture beside the records of its prediction. */
export function pictureKey(id: string, name: string): string {
  return `predictions/${id}/${name}`;
}

function keyOf(id: string, name: RecordName | 'claim'): string {
  return `predictions/${id}/${name}.json`;
}

function folderOf(owner: string): string {
  return `owners/${owner}/`;
}
