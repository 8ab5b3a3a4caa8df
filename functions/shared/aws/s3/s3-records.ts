import {
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { AppError } from '../../../../lib/errors/app-error.js';

/** Four pictures of 1792 x 1024 that PNG cannot make smaller, one of them twice, as base64 in JSON. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/** S3 answers 409 where two conditional writes meet: one of them has to ask again. */
const MAX_CONFLICTS = 5;

/** What must be true of an object for a write to take place. */
export type Condition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string };

export interface StoredRecord {
  /** Of JSON in UTF-8, unless somebody else has written it. */
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** Small JSON objects in one bucket, and pictures beside them. Reads see every write that has returned: S3 is strongly consistent. */
export class S3Records {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @throws AppError UNAVAILABLE; INVALID_FILE for what is too long */
  async read(key: string): Promise<StoredRecord | undefined> {
    const name = `s3://${this.#bucket}/${key}`;
    try {
      const object = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      if ((object.ContentLength ?? Number.POSITIVE_INFINITY) > MAX_RECORD_BYTES) {
        throw new AppError('INVALID_FILE', `${name} is longer than ${MAX_RECORD_BYTES} bytes`);
      }
      const bytes = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
      return { bytes, etag: object.ETag ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw unavailable(`cannot read ${name}`, error);
    }
  }

  /**
   * @param condition @default none: whatever is there is replaced
   * @returns whether the condition was met; false leaves the object as it is
   * @throws AppError UNAVAILABLE
   */
  write(key: string, value: unknown, condition?: Condition): Promise<boolean> {
    return this.#put({ Key: key, ContentType: 'application/json', Body: JSON.stringify(value) }, condition);
  }

  /**
   * Bytes that are no record, unless there are some.
   *
   * @throws AppError UNAVAILABLE
   */
  async writePicture(key: string, bytes: Uint8Array, type: string): Promise<void> {
    await this.#put({ Key: key, ContentType: type, Body: bytes }, { IfNoneMatch: '*' });
  }

  async #put(
    object: Pick<PutObjectCommandInput, 'Key' | 'ContentType' | 'Body'>,
    condition: Condition | undefined,
  ): Promise<boolean> {
    for (let conflicts = 0; ; conflicts++) {
      try {
        await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, ...object, ...condition }));
        return true;
      } catch (error) {
        const status = statusOf(error);
        // 404: there is nothing that `IfMatch` could match.
        if (status === 412 || (status === 404 && condition && 'IfMatch' in condition)) return false;
        if (status !== 409 || conflicts >= MAX_CONFLICTS) {
          throw unavailable(`cannot write s3://${this.#bucket}/${object.Key}`, error);
        }
      }
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** What a caller reads in the answer names no bucket; the log follows the causes. */
function unavailable(what: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError('UNAVAILABLE', 'the store does not answer', { cause: new Error(what, { cause }) });
}
