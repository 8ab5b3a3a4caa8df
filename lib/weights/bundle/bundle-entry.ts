import { CHUNK_SIZE, type ManifestFile } from '../../schemas/manifest.js';
import type { ByteRange } from '../bytes/byte-range.js';
import type { ChunkCheck } from '../bytes/chunk-check.js';
import type { FileDigest } from '../bytes/file-digest.js';
import type { CheckpointReader } from '../checkpoint/checkpoint-reader.js';
import { FileSums } from './file-sums.js';

/** A file of a bundle that is to be: where its bytes are, and what is known of them. */
export interface BundleEntry {
  /** In the bundle. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly reader: CheckpointReader;
  /** The file's path in the reader's source. */
  readonly from: string;
  readonly digest?: FileDigest | undefined;
  /** CRC-32 of each chunk, as in a manifest. */
  readonly crc32?: readonly string[];
  /** Looks at each chunk that was read, and throws where its bytes may not be in a bundle. @default all may */
  readonly check?: ChunkCheck | undefined;
}

/** @param onBytes told the length of what was read, and less than zero when it has to be read again */
export type OnBytes = (count: number) => void;

export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

export function chunkRange(size: number, index: number): ByteRange {
  return { start: index * CHUNK_SIZE, end: Math.min(size, (index + 1) * CHUNK_SIZE) };
}

/** Brings one chunk into `target` and checks it, by its sum where that is known. @returns its CRC-32 */
export async function readChunk(
  entry: BundleEntry,
  index: number,
  target: Uint8Array,
  onBytes: OnBytes,
): Promise<number> {
  const known = entry.crc32?.[index];
  const sum = known === undefined ? undefined : Number.parseInt(known, 16);
  const range = chunkRange(entry.size, index);
  const read = await entry.reader.readInto(entry.from, range, target, { sum, onBytes });
  await entry.check?.(target, range);
  return read;
}

/**
 * Reads a whole entry for its sums alone, one chunk in memory at a time.
 *
 * @throws AppError INVALID_FILE when the bytes are not those that were expected
 */
export async function sumEntry(entry: BundleEntry, onBytes: OnBytes): Promise<ManifestFile> {
  const { path, size, digest } = entry;
  const sums = new FileSums(path, size, digest);
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_SIZE, size));
  for (let index = 0; index < chunkCount(size); index++) {
    const { start, end } = chunkRange(size, index);
    const chunk = buffer.subarray(0, end - start);
    sums.add(chunk, await readChunk(entry, index, chunk, onBytes));
  }
  return sums.finish(entry.reader.nameOf(entry.from));
}
