import type { FileDigest } from '../bytes/file-digest.js';
import type { ByteSource } from './byte-source.js';

/**
 * A checkpoint or a bundle that is to be imported: a directory, an S3 prefix, or one commit of a repository on the
 * Hugging Face hub. Paths have `/` between their parts and none at their ends.
 */
export interface CheckpointSource extends ByteSource {
  /** For the manifest: `owner/name` on the hub, or the last folder's name. */
  readonly name: string;
  /** Commit; null where there is no such thing. */
  readonly revision: string | null;

  /**
   * Names in one folder, '' being the top; sub-folders may be among them. Empty where the source has no folders of
   * its own and nothing lies there.
   *
   * @throws AppError as `open`, and INVALID_FILE when a directory is missing or cannot be read
   */
  list(folder: string, signal: AbortSignal): Promise<ReadonlySet<string>>;

  /**
   * @returns bytes, or undefined when there is no such file
   * @throws AppError as `open`, and INVALID_FILE when it is not a file
   */
  size(path: string, signal: AbortSignal): Promise<number | undefined>;

  /** What the file's bytes must have, where the source tells it. */
  digest?(path: string): FileDigest | undefined;

  /** Where the file lies on this machine. */
  localPath?(path: string): string;

  /** How long the source has asked to be left alone from now on, in milliseconds. */
  holdOff?(): number;
}
