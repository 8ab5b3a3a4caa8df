import { createHash } from 'node:crypto';
import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import type { FileDigest } from '../bytes/file-digest.js';
import type { CheckpointSource } from '../sources/checkpoint-source.js';

/** Files that were made here and are on no disk yet. */
export class MemoryCheckpoint implements CheckpointSource {
  readonly description = 'memory';
  readonly name = 'memory';
  readonly revision = null;
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  async *#pieces(path: string, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
    yield this.#get(path).subarray(start, end);
  }

  async open(path: string, range: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    return this.#pieces(path, range);
  }

  async readSmall(path: string): Promise<Uint8Array> {
    return this.#get(path);
  }

  async list(): Promise<ReadonlySet<string>> {
    return new Set(this.#files.keys());
  }

  async size(path: string): Promise<number | undefined> {
    return this.#files.get(path)?.length;
  }

  digest(path: string): FileDigest {
    return { algorithm: 'sha256', hex: createHash('sha256').update(this.#get(path)).digest('hex') };
  }

  #get(path: string): Uint8Array {
    const bytes = this.#files.get(path);
    if (!bytes) throw new AppError('NOT_FOUND', `there is no ${path} in memory`);
    return bytes;
  }
}
