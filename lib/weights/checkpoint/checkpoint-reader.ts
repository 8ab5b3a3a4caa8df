import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import { crc32 } from '../bytes/crc32.js';
import { politeTransfer } from '../bytes/polite-transfer.js';
import { type Attempt, DEFAULT_TRANSFER_POLICY, type TransferPolicy } from '../bytes/transfer.js';
import type { CheckpointSource } from '../sources/checkpoint-source.js';
import type { BodyTarget } from '../sources/direct/direct-connection.js';
import { DirectReader } from '../sources/direct/direct-reader.js';
import type { DirectRequest } from '../sources/direct/direct-request.js';

/** What is read at once. Small enough to be still in the processor's cache when it is summed. */
const READ_SIZE = 256 * 1024;

export interface ReadIntoOptions {
  /** CRC-32 that the bytes must have. @default unknown */
  readonly sum?: number | undefined;
  /** Told the length of each piece that came, and less than zero when an attempt's bytes are thrown away. */
  readonly onBytes?: (count: number) => void;
}

/** Reads from a source with retries, until `signal` is aborted. */
export class CheckpointReader {
  readonly source: CheckpointSource;
  readonly #policy: TransferPolicy;
  readonly #signal: AbortSignal;
  readonly #direct = new DirectReader();

  /** @param policy missing members are `DEFAULT_TRANSFER_POLICY`'s */
  constructor(
    source: CheckpointSource,
    policy: Partial<TransferPolicy> = {},
    signal: AbortSignal = new AbortController().signal,
  ) {
    this.source = source;
    this.#policy = { ...DEFAULT_TRANSFER_POLICY, ...policy };
    this.#signal = signal;
  }

  /** What messages call a file or folder. */
  nameOf(path: string): string {
    return path === '' ? this.source.description : `${this.source.description}/${path}`;
  }

  /** As the source's. */
  list(folder: string): Promise<ReadonlySet<string>> {
    return this.#retry(folder, (signal) => this.source.list(folder, signal));
  }

  /** As the source's. */
  size(path: string): Promise<number | undefined> {
    return this.#retry(path, (signal) => this.source.size(path, signal));
  }

  /** As the source's. */
  readSmall(path: string, maxBytes: number): Promise<Uint8Array> {
    return this.#retry(path, (signal) => this.source.readSmall(path, maxBytes, signal));
  }

  /** Part of a file in memory of its own: `range` must have been bounded. */
  async readRange(path: string, range: ByteRange): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(range.end - range.start);
    if (bytes.length > 0) await this.readInto(path, range, bytes);
    return bytes;
  }

  /**
   * Fills `target`, which is as long as `range`.
   *
   * @returns the CRC-32 of the bytes
   */
  readInto(
    path: string,
    range: ByteRange,
    target: Uint8Array,
    options: ReadIntoOptions = {},
  ): Promise<number> {
    const { sum, onBytes = () => undefined } = options;
    const name = `${this.nameOf(path)} [${range.start}, ${range.end})`;
    return this.#retry(path, async (signal, onAlive) => {
      let filled = 0;
      let actual = 0;
      const onFilled = (count: number) => {
        signal.throwIfAborted();
        actual = crc32(target.subarray(filled, filled + count), actual);
        filled += count;
        onAlive();
        onBytes(count);
      };
      const body: BodyTarget = {
        length: target.length,
        room: () => target.subarray(filled, filled + READ_SIZE),
        filled: onFilled,
      };
      try {
        const direct = (request: DirectRequest) => this.#direct.get(request, body, signal);
        for await (const piece of await this.source.open(path, range, signal, direct)) {
          if (filled + piece.length > target.length)
            throw new AppError('UNAVAILABLE', `${name}: more bytes came than asked for`);
          target.set(piece, filled);
          onFilled(piece.length);
        }
        if (filled < target.length)
          throw new AppError('UNAVAILABLE', `${name}: only ${filled} of ${target.length} bytes came`);
        if (sum !== undefined && actual !== sum)
          throw new AppError('INVALID_FILE', `${name}: crc32 differs from the manifest's`, {
            retryable: true,
          });
      } catch (error) {
        onBytes(-filled);
        if (error instanceof AppError) throw error;
        throw new AppError('UNAVAILABLE', `${name}: ${(error as Error).message}`, { cause: error });
      }
      return actual;
    });
  }

  #retry<T>(path: string, attempt: Attempt<T>): Promise<T> {
    return politeTransfer(this.source, this.nameOf(path), this.#policy, this.#signal, attempt);
  }
}
