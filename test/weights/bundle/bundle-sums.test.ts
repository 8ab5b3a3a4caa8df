import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUNDLE_VERSION, CHUNK_SIZE } from '../../../lib/schemas/manifest.js';
import { copyBundle } from '../../../lib/weights/bundle/copy-bundle.js';
import { DirectorySink } from '../../../lib/weights/bundle/directory-sink.js';
import { crc32 } from '../../../lib/weights/bytes/crc32.js';
import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../../../lib/weights/checkpoint/directory-checkpoint.js';

const scratch = mkdtempSync(join(tmpdir(), 'sums-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const from = join(scratch, 'from');

/** Bytes. */
const FILES = {
  'unet/weights.safetensors': 2 * CHUNK_SIZE + 7_654_321,
  'unet/copied.bin': 2 * CHUNK_SIZE + 1,
  'two-chunks-exactly.bin': 2 * CHUNK_SIZE,
  'one-byte.bin': 1,
  'empty.bin': 0,
};

/** Sparse: only the marks take space on the disk. */
function makeFile(path: string, size: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  ftruncateSync(file, size);
  for (const at of [0, CHUNK_SIZE - 1, CHUNK_SIZE, 2 * CHUNK_SIZE - 3, size - 1])
    if (at >= 0 && at < size) writeSync(file, `mark ${at}`.slice(0, size - at), at);
  closeSync(file);
}

/** Node's own since 20.15 and 22.2; before, ours, which has tests of its own. */
const crcOf = (bytes: Uint8Array): number => ('crc32' in zlib ? zlib.crc32(bytes) : crc32(bytes));

beforeAll(() => {
  for (const [name, size] of Object.entries(FILES)) makeFile(join(from, name), size);
});

test('a manifest has the sums of node:crypto and node:zlib, in the given order', async () => {
  const reader = new CheckpointReader(new DirectoryCheckpoint(from));
  const entries = Object.entries(FILES).map(([path, size]) => ({ path, size, reader, from: path }));
  const about = {
    dialect: 'standard',
    precision: 'float32',
    source: { repo: 'made-up', revision: null },
  } as const;
  const to = join(scratch, 'to');
  const steps: (readonly [number, number])[] = [];
  const manifest = await copyBundle({
    entries,
    about,
    sink: new DirectorySink(to),
    stop: new AbortController(),
    onProgress: (done, total) => steps.push([done, total]),
  });
  expect(JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect(manifest).toMatchObject({
    format: 'sd-turbo-bundle',
    version: BUNDLE_VERSION,
    chunk_size: CHUNK_SIZE,
    ...about,
  });
  expect(manifest.files.map(({ path, size }) => [path, size])).toEqual(Object.entries(FILES));
  for (const { path, size, sha256, crc32: sums } of manifest.files) {
    const bytes = readFileSync(join(to, path));
    expect(bytes.equals(readFileSync(join(from, path))), path).toBe(true);
    expect(sha256, path).toBe(createHash('sha256').update(bytes).digest('hex'));
    const expected: string[] = [];
    for (let at = 0; at < size; at += CHUNK_SIZE) {
      const sum = crcOf(bytes.subarray(at, at + CHUNK_SIZE));
      expected.push(sum.toString(16).padStart(8, '0'));
    }
    expect(sums, path).toEqual(expected);
  }
  const total = Object.values(FILES).reduce((sum, size) => sum + size, 0);
  expect(steps.at(-1)).toEqual([total, total]);
});
