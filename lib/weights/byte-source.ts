/** Bytes `start` to `end`, `end` not included; never empty. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Takes the pieces of a stream in order. A piece is valid until the call returns, or until the promise that it
 * returned resolves: the next piece comes after that.
 */
export type ByteSink = (piece: Uint8Array) => Promise<void> | undefined;

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
   * @throws AppError whose message names the object: NOT_FOUND; INVALID_FILE when the file ends before the
   * range does; UNAVAILABLE, `retryable` or not
   */
  open(path: string, range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;

  /**
   * As `open`, but hands the bytes to `sink`, and is done when the sink has taken them all. A source has this
   * where it can do it without making garbage; nothing reaches the sink after `signal` was aborted.
   */
  pour?(path: string, range: ByteRange, sink: ByteSink, signal: AbortSignal): Promise<void>;

  /**
   * The whole of a small file.
   *
   * @throws AppError as `open`, and INVALID_FILE when the file is longer than `maxBytes`
   */
  readSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}
