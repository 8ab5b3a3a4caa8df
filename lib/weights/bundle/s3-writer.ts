import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { AppError } from '../../errors/app-error.js';
import { type Attempt, type TransferPolicy, transfer } from '../bytes/transfer.js';
import { s3Error } from '../sources/s3/s3-error.js';
import type { S3Location } from '../sources/s3/s3-location.js';
import { pieceStream } from './s3-piece-stream.js';

/** For an answer without a body. */
const START_TIMEOUT_MS = 10_000;

/** The end of a part leaves the system's buffers unseen: on a slow line this takes longer than the usual stall. */
const UPLOAD_PATIENCE = 6;

/** One part of a multipart upload. */
export interface UploadedPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumCRC32: string;
}

/** The writing requests of an import, below one prefix, each with retries. Paths are relative to the prefix. */
export class S3Writer {
  readonly description: string;
  readonly #client: S3Client;
  readonly #location: S3Location;
  readonly #policy: TransferPolicy;

  constructor(client: S3Client, location: S3Location, policy: TransferPolicy) {
    this.#client = client;
    this.#location = location;
    this.#policy = policy;
    this.description = ['s3:/', location.bucket, location.prefix].filter(Boolean).join('/');
  }

  /** @returns undefined when there is no such object */
  async head(path: string, signal: AbortSignal): Promise<HeadObjectCommandOutput | undefined> {
    const command = new HeadObjectCommand(this.#object(path));
    return this.#retry(path, signal, (abortSignal) => this.#client.send(command, { abortSignal })).catch(
      (error) => {
        if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      },
    );
  }

  /** Paths of all objects below the prefix, a page at a time. */
  async *list(signal: AbortSignal): AsyncGenerator<string> {
    const { bucket } = this.#location;
    const prefix = this.#key('');
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
      const page = await this.#retry('', signal, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      for (const { Key = '' } of page.Contents ?? []) yield Key.slice(prefix.length);
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async put(path: string, body: Uint8Array, contentType: string): Promise<void> {
    const command = new PutObjectCommand({ ...this.#object(path), Body: body, ContentType: contentType });
    await this.#retry(path, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** @returns false where the object is there already: it stays as it is */
  async create(path: string, body: Uint8Array, contentType: string): Promise<boolean> {
    const object = { ...this.#object(path), Body: body, ContentType: contentType };
    const command = new PutObjectCommand({ ...object, IfNoneMatch: '*' });
    return this.#retry(path, undefined, (abortSignal) =>
      this.#client.send(command, { abortSignal }).then(
        () => true,
        (error) => {
          // 409: somebody else is writing it.
          if ([409, 412].includes(error.$metadata?.httpStatusCode)) return false;
          throw error;
        },
      ),
    );
  }

  async remove(path: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#object(path));
    await this.#retry(path, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /**
   * Waits for an answer also when `signal` is aborted meanwhile: without its id an upload cannot be aborted.
   *
   * @returns the upload's id
   */
  async startUpload(path: string, signal: AbortSignal): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      ...this.#object(path),
      ChecksumAlgorithm: 'CRC32',
      ContentType: 'application/octet-stream',
    });
    const { UploadId } = await this.#retry(path, signal, () =>
      this.#client.send(command, { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) }),
    );
    if (UploadId === undefined)
      throw new AppError('UNAVAILABLE', `${this.#name(path)}: the upload has no id`, { retryable: false });
    return UploadId;
  }

  /**
   * S3 checks the bytes by `sum`.
   *
   * @param part from 1 on
   * @param sum CRC-32 of `bytes`
   * @param onBytes told what has been sent, and less than zero when it has to be sent again
   */
  async uploadPart(
    path: string,
    uploadId: string,
    part: number,
    bytes: Uint8Array,
    { sum, onBytes, signal }: { sum: number; onBytes: (count: number) => void; signal: AbortSignal },
  ): Promise<UploadedPart> {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(sum);
    const ChecksumCRC32 = crc.toString('base64');
    const patient = { ...this.#policy, stallTimeoutMs: this.#policy.stallTimeoutMs * UPLOAD_PATIENCE };
    const attempt: Attempt<UploadedPart> = async (abortSignal, onAlive) => {
      let sent = 0;
      // In pieces, so that a slow line is told from a dead one.
      const body = pieceStream(bytes, (count) => {
        sent += count;
        onAlive();
        onBytes(count);
      });
      const command = new UploadPartCommand({
        ...this.#object(path),
        UploadId: uploadId,
        PartNumber: part,
        Body: body,
        ContentLength: bytes.length,
        ChecksumCRC32,
      });
      try {
        const { ETag } = await this.#client.send(command, { abortSignal });
        return { PartNumber: part, ETag, ChecksumCRC32 };
      } catch (error) {
        onBytes(-sent);
        throw error;
      } finally {
        // Nothing reads the caller's bytes any more, whatever the client still holds.
        body.destroy();
      }
    };
    return this.#retry(path, signal, attempt, patient);
  }

  async completeUpload(path: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const command = new CompleteMultipartUploadCommand({
      ...this.#object(path),
      UploadId: uploadId,
      MultipartUpload: { Parts: [...parts].sort((a, b) => a.PartNumber - b.PartNumber) },
    });
    await this.#retry(path, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async abortUpload(path: string, uploadId: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#object(path), UploadId: uploadId });
    await this.#retry(path, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Uploads under way below the prefix, of whoever began them. */
  async listUploads(signal: AbortSignal): Promise<{ path: string; id: string }[]> {
    const { bucket } = this.#location;
    const prefix = this.#key('');
    const uploads: { path: string; id: string }[] = [];
    let at: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (at) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: prefix,
        ...at,
      });
      const page = await this.#retry('', signal, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      for (const { Key = '', UploadId = '' } of page.Uploads ?? [])
        uploads.push({ path: Key.slice(prefix.length), id: UploadId });
      at = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
    }
    return uploads;
  }

  #retry<T>(
    path: string,
    signal: AbortSignal | undefined,
    attempt: Attempt<T>,
    policy = this.#policy,
  ): Promise<T> {
    const name = this.#name(path);
    return transfer(name, policy, signal ?? new AbortController().signal, async (attemptSignal, onAlive) => {
      try {
        return await attempt(attemptSignal, onAlive);
      } catch (error) {
        throw writeError(s3Error(error, name));
      }
    });
  }

  #object(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#key(path) };
  }

  #key(path: string): string {
    const { prefix } = this.#location;
    return prefix === '' ? path : `${prefix}/${path}`;
  }

  #name(path: string): string {
    return path === '' ? this.description : `${this.description}/${path}`;
  }
}

/** What S3 itself does not say. Without `s3:ListBucket` it refuses what it would otherwise call missing. */
const PERMISSIONS =
  'needed are s3:ListBucket for the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload for its objects';

/** `s3Error` speaks of reading. */
function writeError({ code, message, cause, retryable }: AppError): AppError {
  const isRefused = /(?:AccessDenied|UnknownError|Forbidden).*\(HTTP 403\)$/.test(message);
  const text = message.replace(/^cannot read /, 'cannot write ') + (isRefused ? `: ${PERMISSIONS}` : '');
  return new AppError(code, text, { cause, retryable });
}
