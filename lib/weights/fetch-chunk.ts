import { AppError } from '../errors/app-error.js';
import type { ByteRange, ByteSink, ByteSource } from './byte-source.js';
import { type Batches, ChunkWriter } from './chunk-writer.js';
import { crc32 } from './crc32.js';
import type { PartialFile } from './partial-file.js';

export interface FetchChunkProps {
  readonly source: ByteSource;
  /** Of the file within the source. */
  readonly path: string;
  readonly range: ByteRange;
  /** CRC-32 that the bytes must have. */
  readonly sum: number;
  readonly target: PartialFile;
  readonly batches: Batches;
  /** Called with the length of each piece that came. */
  readonly onBytes: (count: number) => void;
}

/**
 * One attempt to bring one chunk from a source to its place in a file. The chunk is in place and right when this
 * returns; when it throws, what lies there is not to be trusted, and nothing writes there any more.
 *
 * @throws AppError; retryable also where the bytes were wrong, which may have happened on the way
 */
export async function fetchChunk(props: FetchChunkProps, signal: AbortSignal): Promise<void> {
  const { source, path, range, sum, target, batches, onBytes } = props;
  const length = range.end - range.start;
  const object = `${source.description}/${path} [${range.start}, ${range.end})`;
  const writer = new ChunkWriter(target, range.start, batches);
  let received = 0;
  let actual = 0;
  const sink = (piece: Uint8Array) => {
    // A late piece of an attempt that was given up must not reach the file.
    signal.throwIfAborted();
    received += piece.length;
    if (received > length) throw new AppError('UNAVAILABLE', `${object}: more bytes came than asked for`);
    actual = crc32(piece, actual);
    onBytes(piece.length);
    return writer.push(piece);
  };
  try {
    await pour(source, path, range, sink, signal);
    await writer.finish();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('UNAVAILABLE', `${object}: ${(error as Error).message}`, { cause: error });
  } finally {
    await writer.stop();
  }
  if (received < length) {
    throw new AppError('UNAVAILABLE', `${object}: only ${received} of ${length} bytes came`);
  }
  if (actual !== sum) {
    throw new AppError('INVALID_FILE', `${object}: crc32 is ${hex(actual)}, the manifest says ${hex(sum)}`, {
      retryable: true,
    });
  }
}

async function pour(source: ByteSource, path: string, range: ByteRange, sink: ByteSink, signal: AbortSignal) {
  if (source.pour) return source.pour(path, range, sink, signal);
  for await (const piece of await source.open(path, range, signal)) await sink(piece);
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}
