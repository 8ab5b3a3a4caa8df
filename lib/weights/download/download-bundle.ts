import { setMaxListeners } from 'node:events';
import { AppError } from '../../errors/app-error.js';
import type { Manifest } from '../../schemas/manifest.js';
import { publishManifest } from '../bundle/publish-manifest.js';
import { DownloadProgress, type OnProgress } from '../bytes/download-progress.js';
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy } from '../bytes/transfer.js';
import { checkSpace } from '../disk/check-space.js';
import type { ByteSource } from '../sources/byte-source.js';
import { FetchThreads } from './fetch-threads.js';
import { type DownloadContext, FileDownload } from './file-download.js';

/** One S3 connection gives 85 to 90 MB/s at best (AWS, "Performance guidelines"): 16 fill 10 Gbit/s. */
const DEFAULT_PARALLELISM = 16;

/** Smaller bundles are there before threads would have begun to be faster. */
const THREADS_FROM_BYTES = 64 * 1024 * 1024;

export interface DownloadThreads {
  /** The compiled `fetch-worker` module; bundlers move it, so the caller says where it is. */
  readonly entry: URL;
  /** Each takes about 10 MB of memory beside its requests'. @default one for each core, up to 4 */
  readonly count?: number;
  /** Bundles below this size do without. @default 64 MiB */
  readonly fromBytes?: number;
}

export interface DownloadProps {
  readonly source: ByteSource;
  readonly manifest: Omit<Manifest, 'chunk_size'> & { readonly chunk_size: number };
  /** Created where it is absent. What an earlier run left there is used as far as its sums are right. */
  readonly directory: string;
  /** Requests at once. Each takes less than 1 MiB of memory, whatever the size of a chunk. @default 16 */
  readonly parallelism?: number;
  /** For sources that let ranges be fetched directly. @default none: all bytes go through this thread */
  readonly threads?: DownloadThreads;
  /** @default DEFAULT_TRANSFER_POLICY, member by member */
  readonly policy?: Partial<TransferPolicy>;
  /** @default nobody is told */
  readonly onProgress?: OnProgress;
  /** Stops the download; `done` fails with its reason. @default never */
  readonly signal?: AbortSignal;
}

export interface Download {
  /**
   * Waits for one file, so that it can be used while others are still on their way.
   *
   * @param path as in the manifest
   * @returns the path on disk
   * @throws AppError as `done`, or NOT_FOUND when the manifest does not have the file
   */
  file(path: string): Promise<string>;
  /**
   * Settles when all files and `manifest.json` are in the directory, or after a failure when nothing is open or
   * under way any more.
   *
   * @throws AppError the first failure that was permanent or outlasted the retries
   */
  readonly done: Promise<void>;
}

/**
 * Starts to bring a bundle to a directory: its files in the manifest's order, chunk by chunk, several at once,
 * each chunk checked by its sum. The directory is ready for another try at any moment, also after a kill.
 */
export function startDownload(props: DownloadProps): Download {
  const { manifest, source, directory, threads } = props;
  const stop = new AbortController();
  const total = manifest.files.reduce((sum, file) => sum + file.size, 0);
  const { entry, count, fromBytes = THREADS_FROM_BYTES } = threads ?? {};
  const context: DownloadContext = {
    source,
    threads: entry && total >= fromBytes ? new FetchThreads(entry, count) : undefined,
    directory,
    chunkSize: manifest.chunk_size,
    policy: { ...DEFAULT_TRANSFER_POLICY, ...props.policy },
    progress: new DownloadProgress(total, props.onProgress ?? (() => undefined)),
    signal: stop.signal,
  };
  const files = new Map(manifest.files.map((file) => [file.path, new FileDownload(file, context)]));
  const done = run(props, files, stop).finally(() => context.threads?.close());
  // A caller that waits for a file hears of a failure there first.
  done.catch(() => undefined);
  return {
    done,
    async file(path) {
      const file = files.get(path);
      if (!file) throw new AppError('NOT_FOUND', `${source.description} has no file ${path}`);
      return file.ready;
    },
  };
}

async function run(props: DownloadProps, files: Map<string, FileDownload>, stop: AbortController) {
  const { manifest, directory, signal, parallelism = DEFAULT_PARALLELISM } = props;
  // Each worker listens.
  setMaxListeners(0, stop.signal);
  const cancel = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    await checkSpace(directory, manifest.files);
    await publishManifest(directory, manifest, () => bringAll(files.values(), parallelism, stop));
  } catch (error) {
    for (const file of files.values()) await file.abandon(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** The first worker that fails stops the others; returns when none is at work any more. */
async function bringAll(files: Iterable<FileDownload>, parallelism: number, stop: AbortController) {
  const jobs = chunksInOrder(files);
  const workers = Array.from({ length: parallelism }, () =>
    work(jobs, stop.signal).catch((error) => stop.abort(error)),
  );
  await Promise.all(workers);
  stop.signal.throwIfAborted();
}

interface Job {
  readonly file: FileDownload;
  readonly chunk: number;
}

function* chunksInOrder(files: Iterable<FileDownload>): Generator<Job, void> {
  for (const file of files) for (let chunk = 0; chunk < file.chunkCount; chunk++) yield { file, chunk };
}

/** One of several that share `jobs`. */
async function work(jobs: Iterator<Job, void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { value: job } = jobs.next();
    if (!job) return;
    await job.file.bringChunk(job.chunk);
  }
}
