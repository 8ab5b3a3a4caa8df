import { describe, expect, it } from 'vitest';
import { ChunkWriter, makeBatches } from '../../lib/weights/chunk-writer.js';
import { randomBytes } from '../support/random-bundle.js';

/** More than the writer's two batches of 256 KiB. */
const LENGTH = 1_500_000;
const PIECE = 100_001;

/** A file in memory whose writes end when the test says so. */
class SlowFile {
  readonly bytes = Buffer.alloc(LENGTH + 10);
  readonly #waiting: (() => void)[] = [];
  writes = 0;
  failAt: number | undefined;

  async write(bytes: Uint8Array, at: number): Promise<void> {
    const number = ++this.writes;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (number === this.failAt) throw new Error('the disk is full');
    this.bytes.set(bytes, at);
  }

  release(): void {
    this.#waiting.shift()?.();
  }
}

const bytes = randomBytes(LENGTH, 1);
function* pieces(): Generator<Buffer> {
  // One buffer for all of them, as a socket has it.
  const shared = Buffer.alloc(PIECE);
  for (let at = 0; at < LENGTH; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    shared.set(piece);
    yield shared.subarray(0, piece.length);
    shared.fill(0);
  }
}

describe('ChunkWriter', () => {
  it('writes what it was given, from memory that is used again', async () => {
    const file = new SlowFile();
    const timer = setInterval(() => file.release(), 1);
    const writer = new ChunkWriter(file, 10, makeBatches());
    for (const piece of pieces()) await writer.push(piece);
    await writer.finish();
    clearInterval(timer);
    expect(file.bytes.subarray(10).equals(bytes)).toBe(true);
    expect(file.writes).toBe(6);
  });

  it('asks to wait only when both batches are full', () => {
    const writer = new ChunkWriter(new SlowFile(), 0, makeBatches());
    const waits = [...pieces()].slice(0, 6).map((piece) => writer.push(piece) !== undefined);
    expect(waits).toEqual([...Array(5).fill(false), true]);
  });

  it('fails the chunk when any of its writes failed, also one that nobody waited for', async () => {
    const file = new SlowFile();
    file.failAt = 1;
    const timer = setInterval(() => file.release(), 1);
    const writer = new ChunkWriter(file, 0, makeBatches());
    const all = async () => {
      for (const piece of pieces()) {
        await writer.push(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await writer.finish();
    };
    await expect(all()).rejects.toThrow('the disk is full');
    clearInterval(timer);
  });

  it('starts no write after it was stopped', async () => {
    const file = new SlowFile();
    const writer = new ChunkWriter(file, 0, makeBatches());
    const source = pieces();
    let waiting: Promise<void> | undefined;
    while (!waiting) waiting = writer.push(source.next().value as Buffer);
    const stopped = writer.stop();
    file.release();
    await stopped;
    await waiting;
    expect(file.writes).toBe(1);
  });
});
