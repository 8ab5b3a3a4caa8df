import { createHash, type Hash } from 'node:crypto';
import { AppError } from '../../errors/app-error.js';
import type { ManifestFile } from '../../schemas/manifest.js';
import { type FileDigest, startDigest } from '../bytes/file-digest.js';

/** Sums up a file whose chunks come in order. */
export class FileSums {
  readonly #path: string;
  readonly #size: number;
  readonly #sha256 = createHash('sha256');
  readonly #expected: FileDigest | undefined;
  readonly #git: Hash | undefined;
  readonly #crc32: string[] = [];

  /** @param path in the bundle */
  constructor(path: string, size: number, expected?: FileDigest) {
    this.#path = path;
    this.#size = size;
    this.#expected = expected;
    this.#git = expected?.algorithm === 'git-sha1' ? startDigest('git-sha1', size) : undefined;
  }

  /** @param sum CRC-32 of the chunk */
  add(chunk: Uint8Array, sum: number): void {
    this.#sha256.update(chunk);
    this.#git?.update(chunk);
    this.#crc32.push(hexSum(sum));
  }

  /**
   * @param name of the file, for messages
   * @throws AppError INVALID_FILE when the bytes are not those that were expected
   */
  finish(name: string): ManifestFile {
    const sha256 = this.#sha256.digest('hex');
    const actual = this.#git?.digest('hex') ?? sha256;
    if (this.#expected && this.#expected.hex !== actual) {
      const { algorithm, hex } = this.#expected;
      throw new AppError(
        'INVALID_FILE',
        `${name} is damaged: its ${algorithm} is ${actual} instead of ${hex}`,
      );
    }
    return { path: this.#path, size: this.#size, sha256, crc32: this.#crc32 };
  }
}

/** As the manifest has it. */
function hexSum(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}
