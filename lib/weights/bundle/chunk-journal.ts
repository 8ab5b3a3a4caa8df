import { appendFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { diskError } from '../disk/disk-error.js';
import { PARTIAL_SUFFIX } from '../disk/partial-file.js';
import type { BundleEntry } from './bundle-entry.js';

/** Beside a file that is being written, until that is whole. */
export const JOURNAL_SUFFIX = '.chunks';

/** 4 MiB: a line takes about 14 bytes and stands for 16 MiB, so this is enough for the largest file by far. */
const MAX_JOURNAL_BYTES = 4 * 1024 * 1024;

/**
 * Which chunks of a half-written file are on the disk, and with which sums: a line for each, after one that says which
 * file it is to be. What was written under another digest, or is not as its sum says, counts for nothing.
 */
export class ChunkJournal {
  readonly #path: string;
  /** Eight hexadecimal digits by index. */
  readonly #sums: ReadonlyMap<number, string>;

  private constructor(path: string, sums: ReadonlyMap<number, string>) {
    this.#path = path;
    this.#sums = sums;
  }

  /**
   * Goes on with the journal of a file, or begins one and takes away what is there of another file.
   *
   * @param file where the whole file is to be
   */
  static async open(file: string, { size, digest }: BundleEntry): Promise<ChunkJournal> {
    const path = file + JOURNAL_SUFFIX;
    const head = `${size} ${digest?.algorithm} ${digest?.hex}`;
    const lines = (await readJournal(path)).split('\n');
    const partial = await stat(file + PARTIAL_SUFFIX).catch(() => undefined);
    if (lines[0] === head && partial?.size === size) return new ChunkJournal(path, parseSums(lines.slice(1)));
    await rm(file + PARTIAL_SUFFIX, { force: true });
    await onDisk(path, () => writeFile(path, `${head}\n`));
    return new ChunkJournal(path, new Map());
  }

  /** CRC-32 of a chunk that an earlier run has written. */
  sumOf(index: number): number | undefined {
    const sum = this.#sums.get(index);
    return sum === undefined ? undefined : Number.parseInt(sum, 16);
  }

  /** A chunk is on the disk now. */
  async note(index: number, sum: number): Promise<void> {
    const line = `${index} ${sum.toString(16).padStart(8, '0')}\n`;
    await onDisk(this.#path, () => appendFile(this.#path, line));
  }

  /** The file is whole. */
  async close(): Promise<void> {
    await onDisk(this.#path, () => rm(this.#path, { force: true }));
  }
}

async function readJournal(path: string): Promise<string> {
  const { size } = (await stat(path).catch(() => undefined)) ?? { size: 0 };
  return size > 0 && size <= MAX_JOURNAL_BYTES ? readFile(path, 'utf8') : '';
}

/** A kill may have cut the last line. */
function parseSums(lines: readonly string[]): Map<number, string> {
  const noted = lines.map((line) => /^(\d{1,9}) ([0-9a-f]{8})$/.exec(line)).filter((match) => match !== null);
  return new Map(noted.map(([, index, sum]) => [Number(index), sum as string]));
}

async function onDisk(path: string, action: () => Promise<void>): Promise<void> {
  await action().catch((cause) => {
    throw diskError(path, cause);
  });
}
