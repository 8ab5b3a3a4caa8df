import type { BodyTarget } from '../../../lib/weights/sources/direct/direct-connection.js';

/** Collects a body in memory. */
export class MemoryTarget implements BodyTarget {
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #roomBytes: number;
  readonly #onFilled: (filled: number) => void;
  #filled = 0;

  /**
   * @param roomBytes that it offers at once, at most
   * @param onFilled told how much is there; what it throws ends the transfer
   */
  constructor(length: number, roomBytes = length, onFilled: (filled: number) => void = () => undefined) {
    this.length = length;
    this.#bytes = Buffer.alloc(length);
    this.#roomBytes = roomBytes;
    this.#onFilled = onFilled;
  }

  /** What is there. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#filled);
  }

  room(): Uint8Array {
    return this.#bytes.subarray(this.#filled, this.#filled + this.#roomBytes);
  }

  filled(count: number): void {
    this.#filled += count;
    this.#onFilled(this.#filled);
  }
}
