import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../../../lib/errors/app-error.js';
import { CHUNK_SIZE } from '../../../lib/schemas/manifest.js';
import { copyBundle } from '../../../lib/weights/bundle/copy-bundle.js';
import { DirectorySink } from '../../../lib/weights/bundle/directory-sink.js';
import type { ByteRange } from '../../../lib/weights/bytes/byte-range.js';
import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import { MemoryCheckpoint } from '../../../lib/weights/checkpoint/memory-checkpoint.js';

const scratch = mkdtempSync(join(tmpdir(), 'resume-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const PATH = 'unet/weights.safetensors';
/** Four chunks, the last a short one. */
const BYTES = Buffer.alloc(3 * CHUNK_SIZE + 1000, 'weights ');
const ABOUT = { dialect: 'standard', precision: 'float32', source: { repo: 'x', revision: null } } as const;
/** Of a process that is no more: no system has numbers so high. */
const DEAD = '.partial-99999999-1700000000000-00000000-0000-0000-0000-000000000000';

/** Tells which chunks are asked for, and ends the copy before the one that is named. */
class Watched extends MemoryCheckpoint {
  readonly asked: number[] = [];
  readonly #endBefore: number | undefined;
  readonly #stop: AbortController;

  constructor(bytes: Uint8Array, stop: AbortController, endBefore?: number) {
    super(new Map([[PATH, bytes]]));
    this.#stop = stop;
    this.#endBefore = endBefore;
  }

  override async open(path: string, range: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const chunk = range.start / CHUNK_SIZE;
    if (chunk === this.#endBefore) {
      this.#stop.abort(new AppError('UNAVAILABLE', 'stopped', { retryable: false }));
      this.#stop.signal.throwIfAborted();
    }
    this.asked.push(chunk);
    return super.open(path, range);
  }
}

/** @returns the chunks that were fetched */
async function copy(
  to: string,
  {
    bytes = BYTES,
    endBefore,
    resumable = true,
  }: { bytes?: Buffer; endBefore?: number; resumable?: boolean } = {},
): Promise<number[]> {
  const stop = new AbortController();
  const source = new Watched(bytes, stop, endBefore);
  const reader = new CheckpointReader(source, { retries: 0 }, stop.signal);
  const digest = { algorithm: 'sha256', hex: createHash('sha256').update(bytes).digest('hex') } as const;
  const entries = [{ path: PATH, size: bytes.length, reader, from: PATH, digest }];
  // One after the other, so that what is there at the end is known.
  const props = { entries, about: ABOUT, sink: new DirectorySink(to), stop, parallelism: 1, resumable };
  const done = copyBundle(props);
  if (endBefore === undefined) await done;
  else await expect(done).rejects.toThrow('stopped');
  return source.asked;
}

/** A place where a process that has ended has left three chunks. */
async function interrupted(): Promise<{ to: string; left: string }> {
  const to = join(mkdtempSync(join(scratch, 'run-')), 'bundle');
  expect(await copy(to, { endBefore: 3 })).toEqual([0, 1, 2]);
  const [name] = readdirSync(join(to, '..'));
  const left = `${to}${DEAD}`;
  renameSync(join(to, '..', name as string), left);
  return { to, left };
}

test('a copy goes on with the chunks that an earlier one has left', async () => {
  const { to } = await interrupted();
  expect(await copy(to)).toEqual([3]);
  expect(readFileSync(join(to, PATH)).equals(BYTES)).toBe(true);
  expect([readdirSync(join(to, '..')), readdirSync(join(to, 'unet'))]).toEqual([
    ['bundle'],
    ['weights.safetensors'],
  ]);
});

test('a chunk that is not on the disk as it was written is fetched again', async () => {
  const { to, left } = await interrupted();
  const partial = join(left, `${PATH}.partial`);
  const bytes = readFileSync(partial);
  bytes[CHUNK_SIZE + 5] = (bytes[CHUNK_SIZE + 5] ?? 0) ^ 1;
  writeFileSync(partial, bytes);
  expect(await copy(to)).toEqual([1, 3]);
  expect(readFileSync(join(to, PATH)).equals(BYTES)).toBe(true);
});

test('the last line of the journal may be cut', async () => {
  const { to, left } = await interrupted();
  const journal = join(left, `${PATH}.chunks`);
  writeFileSync(journal, readFileSync(journal, 'utf8').slice(0, -4));
  expect(await copy(to)).toEqual([2, 3]);
});

test('what is left of another file counts for nothing', async () => {
  const { to } = await interrupted();
  const other = Buffer.alloc(BYTES.length, 'other weights ');
  expect(await copy(to, { bytes: other })).toEqual([0, 1, 2, 3]);
  expect(readFileSync(join(to, PATH)).equals(other)).toBe(true);
});

test('a copy that is not to be gone on with leaves nothing', async () => {
  const to = join(mkdtempSync(join(scratch, 'run-')), 'bundle');
  await copy(to, { endBefore: 3, resumable: false });
  expect(readdirSync(join(to, '..'))).toEqual([]);
});
