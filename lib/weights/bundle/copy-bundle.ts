import { setMaxListeners } from 'node:events';
import { AppError } from '../../errors/app-error.js';
import {
  BUNDLE_VERSION,
  type BundleAbout,
  CHUNK_SIZE,
  type Manifest,
  type ManifestFile,
  manifestSchema,
} from '../../schemas/manifest.js';
import type { SelfTest } from '../../schemas/self-test.js';
import { DownloadProgress } from '../bytes/download-progress.js';
import { type BundleEntry, chunkCount, chunkRange, type OnBytes, readChunk } from './bundle-entry.js';
import type { BundleFileWriter, BundleSink } from './bundle-sink.js';
import { FileSums } from './file-sums.js';
import { manifestText } from './manifest-text.js';

/** With 16 MiB each: 128 MiB of memory. */
export const DEFAULT_COPIES = 8;

export interface CopyBundleProps {
  /** In the order in which a cold start needs them. */
  readonly entries: readonly BundleEntry[];
  readonly about: BundleAbout;
  readonly sink: BundleSink;
  /** Asked for the self-test's picture when all files are there and nothing is published yet. @default what `about` has */
  readonly selfTest?: ((files: readonly ManifestFile[]) => Promise<SelfTest | undefined>) | undefined;
  /** Chunks in memory at once, 16 MiB each, whatever the size of the bundle. @default 8 */
  readonly parallelism?: number;
  /** Stops the copy. It must be the one that the entries' readers have. */
  readonly stop: AbortController;
  /** Whether a copy that was stopped, or found no way, is gone on with by the next one. @default false: nothing is left */
  readonly resumable?: boolean;
  /** Bytes that are done and in all; one that has been read but not written counts half. @default nobody is told */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes a bundle: what the sink can take over as it is, then the rest chunk by chunk, several at once, then the
 * manifest. After a failure nothing of it is left, unless it is `resumable`.
 */
export async function copyBundle(props: CopyBundleProps): Promise<Manifest> {
  const { entries, about, sink, stop, onProgress = () => undefined } = props;
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  // Counts everything twice, once read and once written.
  const progress = new DownloadProgress(2 * total, (done) => onProgress(Math.floor(done / 2), total));
  // Every request of every worker listens.
  setMaxListeners(0, stop.signal);
  try {
    await sink.begin(entries);
    const files = await copyFiles(props, progress);
    const drawn = await props.selfTest?.(files);
    const manifest = manifestSchema.parse({
      format: 'sd-turbo-bundle',
      version: BUNDLE_VERSION,
      ...about,
      ...(drawn && { self_test: drawn }),
      chunk_size: CHUNK_SIZE,
      files,
    });
    stop.signal.throwIfAborted();
    await sink.publish(manifestText(manifest), files);
    return manifest;
  } catch (error) {
    stop.abort(error);
    const { reason } = stop.signal;
    // What is wrong with the bytes is not kept.
    const isPassing = reason instanceof AppError && reason.code === 'UNAVAILABLE';
    if (props.resumable && isPassing && sink.suspend) await sink.suspend();
    else await sink.discard();
    throw reason;
  }
}

/** @returns the sums in the order of the entries */
async function copyFiles(props: CopyBundleProps, progress: DownloadProgress): Promise<ManifestFile[]> {
  const { entries, sink, stop, parallelism = DEFAULT_COPIES } = props;
  const files = new Map<BundleEntry, ManifestFile>();
  for (const entry of entries) {
    stop.signal.throwIfAborted();
    const file = await reuse(entry, sink, progress);
    if (file) files.set(entry, file);
  }
  const missing = entries.filter((entry) => !files.has(entry));
  await sink.makeRoom(missing);
  const copies = missing.map((entry) => new FileCopy(entry, sink, progress));
  const bufferBytes = Math.min(CHUNK_SIZE, Math.max(0, ...missing.map(({ size }) => size)));
  const jobs = chunksInOrder(copies);
  const workers = Array.from({ length: parallelism }, () =>
    work(jobs, bufferBytes, stop.signal).catch((error) => stop.abort(error)),
  );
  await Promise.all(workers);
  stop.signal.throwIfAborted();
  for (const { entry, file } of copies) if (file) files.set(entry, file);
  return entries.map((entry) => files.get(entry) as ManifestFile);
}

async function reuse(
  entry: BundleEntry,
  sink: BundleSink,
  progress: DownloadProgress,
): Promise<ManifestFile | undefined> {
  let counted = 0;
  const onBytes = (count: number) => {
    counted += count;
    progress.add(2 * count, entry.path);
  };
  const file = await sink.reuse(entry, onBytes);
  onBytes((file ? entry.size : 0) - counted);
  return file;
}

interface Job {
  readonly copy: FileCopy;
  readonly index: number;
}

function* chunksInOrder(copies: readonly FileCopy[]): Generator<Job, void> {
  // An empty file has no chunk, but has to be created all the same.
  for (const copy of copies)
    for (let index = 0; index < Math.max(1, chunkCount(copy.entry.size)); index++) yield { copy, index };
}

/** One of several that share `jobs`, with a buffer of its own. */
async function work(jobs: Iterator<Job, void>, bufferBytes: number, signal: AbortSignal): Promise<void> {
  let buffer: Buffer | undefined;
  while (!signal.aborted) {
    const { value: job } = jobs.next();
    if (!job) return;
    buffer ??= Buffer.allocUnsafeSlow(bufferBytes);
    await job.copy.bring(job.index, buffer);
  }
}

interface SummedChunk {
  /** CRC-32 */
  readonly sum: number;
  /** Whether an earlier run has written it. */
  readonly isWritten: boolean;
}

const EMPTY: SummedChunk = { sum: 0, isWritten: true };

/** One file on its way. Its chunks must be begun in order; they may be under way at the same time. */
class FileCopy {
  readonly entry: BundleEntry;
  readonly #sink: BundleSink;
  readonly #progress: DownloadProgress;
  readonly #sums: FileSums;
  #writer: Promise<BundleFileWriter> | undefined;
  /** The chunk begun last; settles when it and those before it have gone into the sums, or failed. */
  #summed: Promise<SummedChunk> = Promise.resolve(EMPTY);
  #chunksLeft: number;
  #file: ManifestFile | undefined;

  constructor(entry: BundleEntry, sink: BundleSink, progress: DownloadProgress) {
    this.entry = entry;
    this.#sink = sink;
    this.#progress = progress;
    this.#sums = new FileSums(entry.path, entry.size, entry.digest);
    this.#chunksLeft = Math.max(1, chunkCount(entry.size));
  }

  /** Its sums, once every chunk has been brought. */
  get file(): ManifestFile | undefined {
    return this.#file;
  }

  async bring(index: number, buffer: Buffer): Promise<void> {
    const { size, reader, from, path } = this.entry;
    const { start, end } = chunkRange(size, index);
    const chunk = buffer.subarray(0, end - start);
    const onBytes = (count: number) => this.#progress.add(count, path);
    this.#summed =
      size === 0 ? Promise.resolve(EMPTY) : this.#readAndSum(index, chunk, this.#summed, onBytes);
    const { sum, isWritten } = await this.#summed;
    this.#writer ??= this.#sink.open(this.entry);
    const writer = await this.#writer;
    if (isWritten) onBytes(chunk.length);
    else await writer.write(index, chunk, sum, onBytes);
    this.#chunksLeft -= 1;
    if (this.#chunksLeft > 0) return;
    this.#file = this.#sums.finish(reader.nameOf(from));
    await writer.finish();
  }

  /** Chunks come in any order, but SHA-256 takes them one after the other. */
  async #readAndSum(
    index: number,
    chunk: Buffer,
    previous: Promise<SummedChunk>,
    onBytes: OnBytes,
  ): Promise<SummedChunk> {
    const recalled = await this.#sink.recall?.(this.entry, index, chunk);
    if (recalled !== undefined) onBytes(chunk.length);
    const sum = recalled ?? (await readChunk(this.entry, index, chunk, onBytes));
    await previous;
    this.#sums.add(chunk, sum);
    return { sum, isWritten: recalled !== undefined };
  }
}
