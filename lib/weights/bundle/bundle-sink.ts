import type { ManifestFile } from '../../schemas/manifest.js';
import type { BundleEntry, OnBytes } from './bundle-entry.js';

/** One file of a bundle on its way to where the bundle will be. */
export interface BundleFileWriter {
  /**
   * Each chunk once, in any order and at the same time. `bytes` are the caller's again afterwards.
   *
   * @param sum CRC-32 of `bytes`
   */
  write(index: number, bytes: Uint8Array, sum: number, onBytes: OnBytes): Promise<void>;
  /** After the last chunk. */
  finish(): Promise<void>;
}

/** Where a bundle is written to: a directory or an S3 prefix. It is seen there whole or not at all. */
export interface BundleSink {
  /**
   * Looks at what is there.
   *
   * @throws AppError INVALID_INPUT when it is something else than a bundle
   */
  begin(entries: readonly BundleEntry[]): Promise<void>;

  /**
   * Brings a file into the bundle without its bytes passing through here, if that can be: where it is there already.
   *
   * @returns its sums, or undefined when it has to be written
   */
  reuse(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile | undefined>;

  /** @throws AppError UNAVAILABLE when these files do not fit */
  makeRoom(entries: readonly BundleEntry[]): Promise<void>;

  /**
   * Reads a chunk into `target` that an earlier run has written: it is not written again.
   *
   * @returns its CRC-32, or undefined where it has to be brought
   */
  recall?(entry: BundleEntry, index: number, target: Uint8Array): Promise<number | undefined>;

  open(entry: BundleEntry): Promise<BundleFileWriter>;

  /**
   * Makes the files and, after all of them, the manifest visible.
   *
   * @param manifest text of `manifest.json`
   */
  publish(manifest: string, files: readonly ManifestFile[]): Promise<void>;

  /** After a failure that passes: keeps what was written for the next run. Never throws. @default as `discard` */
  suspend?(): Promise<void>;

  /** After a failure: takes away what was written. Never throws. */
  discard(): Promise<void>;
}
