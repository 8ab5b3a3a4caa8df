import { HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../errors/app-error.js';
import type { CheckpointSource } from '../sources/checkpoint-source.js';
import { s3Error } from '../sources/s3/s3-error.js';
import type { S3Location } from '../sources/s3/s3-location.js';
import { S3Source } from '../sources/s3/s3-source.js';

/** A folder of a checkpoint has ten files, or some hundred shards. */
const MAX_NAMES = 100_000;

/** A checkpoint or a bundle below an S3 prefix. The client stays its owner's. */
export class S3Checkpoint extends S3Source implements CheckpointSource {
  readonly name: string;
  readonly revision = null;
  readonly #client: S3Client;
  readonly #location: S3Location;

  constructor(client: S3Client, location: S3Location) {
    super(client, location);
    this.#client = client;
    this.#location = location;
    this.name = location.prefix.split('/').at(-1) || location.bucket;
  }

  async list(folder: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const prefix = [this.#location.prefix, folder].map((part) => (part === '' ? '' : `${part}/`)).join('');
    const names = new Set<string>();
    const query = { Bucket: this.#location.bucket, Prefix: prefix, Delimiter: '/' };
    let token: string | undefined;
    do {
      const page = await this.#send(folder, () =>
        this.#client.send(new ListObjectsV2Command({ ...query, ContinuationToken: token }), {
          abortSignal: signal,
        }),
      );
      for (const { Key = '' } of page.Contents ?? []) names.add(Key.slice(prefix.length));
      if (names.size > MAX_NAMES)
        throw new AppError(
          'INVALID_FILE',
          `${this.description}/${folder} has more than ${MAX_NAMES} objects`,
        );
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return names;
  }

  async size(path: string, signal: AbortSignal): Promise<number | undefined> {
    const { bucket, prefix } = this.#location;
    const command = new HeadObjectCommand({
      Bucket: bucket,
      Key: prefix === '' ? path : `${prefix}/${path}`,
    });
    try {
      const head = await this.#send(path, () => this.#client.send(command, { abortSignal: signal }));
      return head.ContentLength;
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #send<T>(path: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw s3Error(error, `${this.description}/${path}`);
    }
  }
}
