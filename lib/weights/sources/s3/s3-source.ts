import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../../errors/app-error.js';
import type { ByteRange } from '../../bytes/byte-range.js';
import { readBounded } from '../../bytes/read-bounded.js';
import type { ByteSource, FetchDirectly } from '../byte-source.js';
import { directRequest, type SignedRequest } from '../direct/direct-request.js';
import { s3Error } from './s3-error.js';
import type { S3Location } from './s3-location.js';

/** A bundle below an S3 prefix. The client stays its owner's: see `createS3Client`. */
export class S3Source implements ByteSource {
  readonly description: string;
  readonly #client: S3Client;
  readonly #location: S3Location;

  constructor(client: S3Client, location: S3Location) {
    this.#client = client;
    this.#location = location;
    this.description = ['s3:/', location.bucket, location.prefix].filter(Boolean).join('/');
  }

  async open(path: string, range: ByteRange, signal: AbortSignal, direct?: FetchDirectly): Promise<Readable> {
    const command = this.#command(path, range);
    if (direct) offer(command, direct);
    return this.#send(command, path, signal);
  }

  async readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const body = await this.#send(this.#command(path), path, signal);
    try {
      return await readBounded(body, maxBytes, this.#name(path));
    } catch (error) {
      throw s3Error(error, this.#name(path));
    }
  }

  #command(path: string, range?: ByteRange): GetObjectCommand {
    const { bucket, prefix } = this.#location;
    return new GetObjectCommand({
      Bucket: bucket,
      Key: prefix === '' ? path : `${prefix}/${path}`,
      Range: range && `bytes=${range.start}-${range.end - 1}`,
    });
  }

  async #send(command: GetObjectCommand, path: string, signal: AbortSignal): Promise<Readable> {
    const aborted = new AbortController();
    try {
      const sent = this.#client.send(command, { abortSignal: signal });
      // The SDK heeds the signal once it has a request; while it looks for credentials it does not.
      const { Body } = await Promise.race([sent, rejectOnAbort(signal, aborted.signal)]);
      if (Body instanceof Readable) return Body;
      throw new AppError('INTERNAL', 'the S3 client returned a body that is not a Node stream');
    } catch (error) {
      throw s3Error(error, this.#name(path));
    } finally {
      aborted.abort();
    }
  }

  #name(path: string): string {
    return `${this.description}/${path}`;
  }
}

/** Puts `direct` in the place of the SDK's HTTP client, which comes next: the request has been signed here. */
function offer(command: GetObjectCommand, direct: FetchDirectly): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const request = directRequest(args.request as SignedRequest);
      if (!request || !(await direct(request))) return next(args);
      return { response: { statusCode: 206, headers: {}, body: Readable.from([]) } };
    },
    { step: 'deserialize', priority: 'low', name: 'direct' },
  );
}

function rejectOnAbort(signal: AbortSignal, settled: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled });
  });
}
