import type { PartialFile } from './partial-file.js';

/** Written at once: enough to make a trip through the thread pool cheap, little enough to stay in the cache. */
const BATCH_BYTES = 256 * 1024;

/** The memory of one writer after the other: new memory for each costs more than writing what is in it. */
export type Batches = readonly [Buffer, Buffer];

export function makeBatches(): Batches {
  return [Buffer.allocUnsafeSlow(BATCH_BYTES), Buffer.allocUnsafeSlow(BATCH_BYTES)];
}

/** Writes a stream of pieces to one place in a file, one batch being written while the next one is gathered. */
export class ChunkWriter {
  readonly #file: Pick<PartialFile, 'write'>;
  #at: number;
  #batch: Buffer;
  #spare: Buffer;
  /** Bytes in `#batch`. */
  #filled = 0;
  #isWriting = false;
  /** Settles with the write under way; never rejects. */
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #pushing: Promise<void> | undefined;
  #stopped = false;

  /**
   * @param at where in `file` the first piece goes
   * @param batches which nothing else uses until the writer has stopped
   */
  constructor(file: Pick<PartialFile, 'write'>, at: number, batches: Batches) {
    this.#file = file;
    this.#at = at;
    [this.#batch, this.#spare] = batches;
  }

  /** A `ByteSink`: a promise comes only when both batches are full. */
  push(piece: Uint8Array): Promise<void> | undefined {
    this.#throwFailure();
    const rest = this.#fill(piece);
    if (rest.length === 0) return undefined;
    if (this.#isWriting) {
      this.#pushing = this.#pushLater(rest);
      return this.#pushing;
    }
    this.#startWriting();
    return this.push(rest);
  }

  /** Everything that was pushed is in the file. */
  async finish(): Promise<void> {
    await this.#writing;
    this.#throwFailure();
    if (this.#filled > 0) this.#startWriting();
    await this.#writing;
    this.#throwFailure();
  }

  /** After this nothing touches the file any more, whatever was under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pushing?.catch(() => undefined);
    await this.#writing;
  }

  async #pushLater(piece: Uint8Array): Promise<void> {
    await this.#writing;
    if (!this.#stopped) await this.push(piece);
  }

  /** @returns what had no room */
  #fill(piece: Uint8Array): Uint8Array {
    const room = BATCH_BYTES - this.#filled;
    const fitting = piece.length <= room ? piece : piece.subarray(0, room);
    this.#batch.set(fitting, this.#filled);
    this.#filled += fitting.length;
    return piece.subarray(fitting.length);
  }

  #startWriting(): void {
    const full = this.#batch.subarray(0, this.#filled);
    this.#isWriting = true;
    this.#writing = this.#file
      .write(full, this.#at)
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#isWriting = false;
      });
    this.#at += this.#filled;
    this.#filled = 0;
    [this.#batch, this.#spare] = [this.#spare, this.#batch];
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
