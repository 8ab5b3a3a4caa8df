import { writeSync } from 'node:fs';
import { crc32 } from '../bytes/crc32.js';
import type { BodyTarget } from '../sources/direct/direct-connection.js';

/**
 * The place of a body in a file. Bytes are summed as they come, while they are in the processor's cache, and written
 * in pieces as large as `buffer`, from the thread that reads them: a trip through the thread pool costs more.
 */
export class FileTarget implements BodyTarget {
  readonly length: number;
  readonly #descriptor: number;
  readonly #buffer: Buffer;
  readonly #onBytes: (count: number) => void;
  #at: number;
  #left: number;
  /** Bytes in `#buffer`. */
  #held = 0;
  #sum = 0;
  #writeError: unknown;

  /**
   * @param at where in the file the body begins
   * @param buffer which nothing else uses until the body has ended
   * @param onBytes told the length of each piece that came
   */
  constructor(
    descriptor: number,
    at: number,
    length: number,
    buffer: Buffer,
    onBytes: (count: number) => void,
  ) {
    this.#descriptor = descriptor;
    this.#at = at;
    this.length = length;
    this.#left = length;
    this.#buffer = buffer;
    this.#onBytes = onBytes;
  }

  /** CRC-32 of what came. */
  get crc32(): number {
    return this.#sum;
  }

  /** What the file system threw, if it did. */
  get writeError(): unknown {
    return this.#writeError;
  }

  room(): Uint8Array {
    return this.#buffer.subarray(this.#held);
  }

  filled(count: number): void {
    this.#sum = crc32(this.#buffer.subarray(this.#held, this.#held + count), this.#sum);
    this.#held += count;
    this.#left -= count;
    this.#onBytes(count);
    if (this.#held === this.#buffer.length || this.#left === 0) this.#write();
  }

  #write(): void {
    try {
      for (let done = 0; done < this.#held; ) {
        done += writeSync(this.#descriptor, this.#buffer, done, this.#held - done, this.#at + done);
      }
    } catch (error) {
      this.#writeError = error;
      throw error;
    }
    this.#at += this.#held;
    this.#held = 0;
  }
}
