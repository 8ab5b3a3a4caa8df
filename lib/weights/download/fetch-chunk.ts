import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import { crc32 } from '../bytes/crc32.js';
import type { PartialFile } from '../disk/partial-file.js';
import type { ByteSource, FetchDirectly } from '../sources/byte-source.js';
import type { FetchThreads } from './fetch-threads.js';

export interface FetchChunkProps {
  readonly source: ByteSource;
  /** Of the file within the source. */
  readonly path: string;
  readonly range: ByteRange;
  /** CRC-32 that the bytes must have. */
  readonly sum: number;
  readonly target: PartialFile;
  /** Undefined: everything goes through this thread. */
  readonly threads: FetchThreads | undefined;
  /** Told the length of what came. */
  readonly onBytes: (count: number) => void;
}

/**
 * One attempt to bring one chunk from a source to its place in a file. The chunk is in place and right when this
 * returns; when it throws, what lies there is not to be trusted, and nothing writes there any more.
 *
 * @throws AppError; retryable also where the bytes were wrong, which may have happened on the way
 */
export async function fetchChunk(props: FetchChunkProps, signal: AbortSignal): Promise<void> {
  const { source, path, range, sum, target, threads, onBytes } = props;
  const object = `${source.description}/${path} [${range.start}, ${range.end})`;
  const [at, length] = [range.start, range.end - range.start];
  let fetching: Promise<number | undefined> | undefined;
  const direct: FetchDirectly | undefined =
    threads &&
    (async (request) => {
      fetching = threads.fetch({ request, file: target, at, length, onBytes }, signal);
      return (await fetching) !== undefined;
    });
  let actual: number;
  try {
    const body = await source.open(path, range, signal, direct);
    actual = (await fetching) ?? (await save(body, props, object, signal));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('UNAVAILABLE', `${object}: ${(error as Error).message}`, { cause: error });
  } finally {
    // It may go on for a moment after the source has given up.
    await fetching?.catch(() => undefined);
  }
  if (actual !== sum) {
    throw new AppError('INVALID_FILE', `${object}: crc32 is ${hex(actual)}, the manifest says ${hex(sum)}`, {
      retryable: true,
    });
  }
}

/** @returns CRC-32 of what was written */
async function save(
  body: AsyncIterable<Uint8Array>,
  { range, target, onBytes }: FetchChunkProps,
  object: string,
  signal: AbortSignal,
): Promise<number> {
  let at = range.start;
  let sum = 0;
  for await (const piece of body) {
    // A late piece of an attempt that was given up must not reach the file.
    signal.throwIfAborted();
    if (at + piece.length > range.end)
      throw new AppError('UNAVAILABLE', `${object}: more bytes came than asked for`);
    sum = crc32(piece, sum);
    onBytes(piece.length);
    await target.write(piece, at);
    at += piece.length;
  }
  if (at < range.end) {
    const length = range.end - range.start;
    throw new AppError('UNAVAILABLE', `${object}: only ${at - range.start} of ${length} bytes came`);
  }
  return sum;
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}
