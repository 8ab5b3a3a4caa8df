import { join } from 'node:path';
import type { ManifestFile } from '../../schemas/manifest.js';
import type { ByteRange } from '../bytes/byte-range.js';
import type { DownloadProgress } from '../bytes/download-progress.js';
import { type TransferPolicy, transfer } from '../bytes/transfer.js';
import { PartialFile } from '../disk/partial-file.js';
import type { ByteSource } from '../sources/byte-source.js';
import { fetchChunk } from './fetch-chunk.js';
import type { FetchThreads } from './fetch-threads.js';

/** What all files of one download share. */
export interface DownloadContext {
  readonly source: ByteSource;
  /** Undefined when they are not worth it. */
  readonly threads: FetchThreads | undefined;
  readonly directory: string;
  /** Bytes. */
  readonly chunkSize: number;
  readonly policy: TransferPolicy;
  readonly progress: DownloadProgress;
  /** Aborted when the download ends early; its reason is what everyone who waits is told. */
  readonly signal: AbortSignal;
}

/** One file of a bundle on its way to the disk. */
export class FileDownload {
  /** The file's path on disk, once it is there under its own name with every chunk checked. */
  readonly ready: Promise<string>;
  readonly chunkCount: number;
  readonly #file: ManifestFile;
  readonly #context: DownloadContext;
  #target: Promise<PartialFile> | undefined;
  #chunksLeft: number;
  #resolve!: (path: string) => void;
  #reject!: (reason: unknown) => void;

  constructor(file: ManifestFile, context: DownloadContext) {
    this.#file = file;
    this.#context = context;
    // An empty file has no sum, but has to be created all the same.
    this.chunkCount = Math.max(1, file.crc32.length);
    this.#chunksLeft = this.chunkCount;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody has to wait for each file: a failure is also told by the download as a whole.
    this.ready.catch(() => undefined);
  }

  /** Makes sure that a chunk is on the disk: each index once, in any order and at the same time. */
  async bringChunk(index: number): Promise<void> {
    const { directory, chunkSize, progress } = this.#context;
    const { path, size, crc32 } = this.#file;
    this.#target ??= PartialFile.open(join(directory, path), size);
    const target = await this.#target;
    const start = index * chunkSize;
    const range = { start, end: Math.min(size, start + chunkSize) };
    const sum = Number.parseInt(crc32[index] ?? '0', 16);

    if (target.resumed && (await target.crc32Of(range)) === sum) progress.add(range.end - start, path);
    else if (start < range.end) {
      await target.hide();
      await this.#fetch(target, range, sum);
    }

    this.#chunksLeft -= 1;
    if (this.#chunksLeft > 0) return;
    await target.complete();
    this.#resolve(target.path);
  }

  /** Closes the file and fails `ready`, where that is still open. No `bringChunk` may be under way. */
  async abandon(reason: unknown): Promise<void> {
    this.#reject(reason);
    const target = await this.#target?.catch(() => undefined);
    await target?.close();
  }

  #fetch(target: PartialFile, range: ByteRange, sum: number): Promise<void> {
    const { source, threads, policy, progress, signal } = this.#context;
    const { path } = this.#file;
    return transfer(`${source.description}/${path}`, policy, signal, async (attemptSignal, onAlive) => {
      let received = 0;
      const onBytes = (count: number) => {
        received += count;
        onAlive();
        progress.add(count, path);
      };
      try {
        await fetchChunk({ source, path, range, sum, target, threads, onBytes }, attemptSignal);
      } catch (error) {
        progress.add(-received, path);
        throw error;
      }
    });
  }
}
