import {
  GetObjectCommand,
  ListObjectsV2Command,
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

  /**
   * @param head so many bytes of it are read. @default all
   * @throws AppError UNAVAILABLE; INVALID_FILE for what is too long
   */
  async read(key: string, head?: number): Promise<StoredRecord | undefined> {
    const name = `s3://${this.#bucket}/${key}`;
    const range = head === undefined ? {} : { Range: `bytes=0-${head - 1}` };
    try {
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...range });
      const object = await this.#client.send(command);
      if ((object.ContentLength ?? Number.POSITIVE_INFINITY) > MAX_RECORD_BYTES) {
        throw new AppError('INVALID_FILE', `${name} is longer than ${MAX_RECORD_BYTES} bytes`);
      }
      const bytes = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
      return { bytes, etag: object.ETag ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      // Of nothing there is no first byte.
      if (statusOf(error) === 416) return { bytes: new Uint8Array(), etag: '' };
      throw unavailable(`cannot read ${name}`, error);
    }
  }

  /**
   * @param condition @default none: whatever is there is replaced
   * @returns whether the condition was met; false leaves the object as it is
   * @throws AppError UNAVAILABLE
   */
  async write(key: string, value: unknown, condition?: Condition): Promise<boolean> {
    return (await this.put(key, value, condition)) !== undefined;
  }

  /** As `write`. @returns the ETag of what was written; undefined where the condition was not met */
  put(key: string, value: unknown, condition?: Condition): Promise<string | undefined> {
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
  ): Promise<string | undefined> {
    for (let conflicts = 0; ; conflicts++) {
      try {
        const command = new PutObjectCommand({ Bucket: this.#bucket, ...object, ...condition });
        return (await this.#client.send(command)).ETag ?? '';
      } catch (error) {
        const status = statusOf(error);
        // 404: there is nothing that `IfMatch` could match.
        if (status === 412 || (status === 404 && condition && 'IfMatch' in condition)) return undefined;
        if (status !== 409 || conflicts >= MAX_CONFLICTS) {
          throw unavailable(`cannot write s3://${this.#bucket}/${object.Key}`, error);
        }
      }
    }
  }

  /**
   * Keys below a prefix, as they sort.
   *
   * @param limit 1000 at most
   * @param after begins behind this key. @default with the first
   * @throws AppError UNAVAILABLE
   */
  async list(prefix: string, limit: number, after?: string): Promise<string[]> {
    const asked = { Bucket: this.#bucket, Prefix: prefix, MaxKeys: limit };
    try {
      const command = new ListObjectsV2Command({
        ...asked,
        ...(after !== undefined && { StartAfter: after }),
      });
      const { Contents = [] } = await this.#client.send(command);
      return Contents.flatMap(({ Key }) => Key ?? []);
    } catch (error) {
      throw unavailable(`cannot list s3://${this.#bucket}/${prefix}`, error);
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
