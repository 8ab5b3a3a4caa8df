import type { ByteRange } from '../bytes/byte-range.js';
import type { DirectRequest } from './direct/direct-request.js';

/**
 * Fetches a range by itself, by a request that is ready to be sent. False: it could not, and nothing of the answer
 * has been used.
 */
export type FetchDirectly = (request: DirectRequest) => Promise<boolean>;

/**
 * Where a bundle's bytes come from: a directory, an S3 prefix, a repository on the Hugging Face hub.
 * One attempt per call: retries and timeouts are `transfer`'s.
 */
export interface ByteSource {
  /** For messages, without a slash at the end: `s3://bucket/prefix`. */
  readonly description: string;

  /**
   * The bytes of `range` of one file. The stream stops with an error soon after `signal` is aborted, closes
   * its connection when the reader leaves early, and does not reuse the memory of a piece it has yielded. An
   * error while it is read counts as a broken connection.
   *
   * @param direct asked first by a source that can say how to ask for the range; when it has fetched the bytes, the
   * stream is empty. It may still be at work when `signal` has been aborted and this has thrown. @default never asked
   * @throws AppError whose message names the object: NOT_FOUND; INVALID_FILE when the file ends before the
   * range does; UNAVAILABLE, `retryable` or not
   */
  open(
    path: string,
    range: ByteRange,
    signal: AbortSignal,
    direct?: FetchDirectly,
  ): Promise<AsyncIterable<Uint8Array>>;

  /**
   * The whole of a small file.
   *
   * @throws AppError as `open`, and INVALID_FILE when the file is longer than `maxBytes`
   */
  readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}
