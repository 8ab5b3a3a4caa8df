import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ByteRange } from '../../../lib/weights/bytes/byte-range.js';
import { type DownloadProps, startDownload } from '../../../lib/weights/download/download-bundle.js';
import type { ByteSource } from '../../../lib/weights/sources/byte-source.js';
import { FileSource } from '../../../lib/weights/sources/file-source.js';
import { differences, randomBundle, writeBundle } from '../../support/graphs/random-bundle.js';

const CHUNK = 1000;
const bundle = randomBundle({ 'a/one': 4500, 'b/none': 0, two: 3000, 'c/three': 1 }, CHUNK);
const policy = { retries: 3, stallTimeoutMs: 30_000, random: () => 0 };

/** A directory's bytes, with a note of what was asked for. */
class NotingSource implements ByteSource {
  readonly description: string;
  readonly asked: string[] = [];
  readonly #files: FileSource;
  constructor(directory: string) {
    this.description = directory;
    this.#files = new FileSource(directory);
  }
  open(path: string, range: ByteRange, signal: AbortSignal) {
    this.asked.push(`${path} ${range.start / CHUNK}`);
    return this.#files.open(path, range, signal);
  }
  readSmall(path: string, maxBytes: number, signal: AbortSignal) {
    return this.#files.readSmall(path, maxBytes, signal);
  }
}

let folder: string;
let source: NotingSource;
let directory: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'));
  await writeBundle(join(folder, 'from'), bundle);
  source = new NotingSource(join(folder, 'from'));
  directory = join(folder, 'to', 'here');
});
afterEach(() => rm(folder, { recursive: true }));

const download = (more: Partial<DownloadProps> = {}) =>
  startDownload({ source, manifest: bundle.manifest, directory, policy, ...more });

describe('startDownload', () => {
  it('brings every byte and the manifest', async () => {
    await download().done;
    expect(await differences(directory, bundle)).toEqual([]);
    expect(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))).toEqual(bundle.manifest);
    expect(source.asked).toHaveLength(9);
  });

  it('asks for the chunks in the order of the manifest', async () => {
    await download({ parallelism: 1 }).done;
    const first = [0, 1, 2, 3, 4].map((chunk) => `a/one ${chunk}`);
    expect(source.asked).toEqual([...first, 'two 0', 'two 1', 'two 2', 'c/three 0']);
  });

  it('hands out a file while others are still on their way', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const gated: ByteSource = {
      description: 'gated',
      readSmall: source.readSmall.bind(source),
      async open(path, range, signal) {
        if (path === 'two') await gate;
        return source.open(path, range, signal);
      },
    };
    const { file, done } = download({ source: gated });
    const path = await file('a/one');
    expect(path).toBe(join(directory, 'a/one'));
    expect((await readFile(path)).equals(bundle.contents.get('a/one') as Buffer)).toBe(true);
    expect(existsSync(join(directory, 'two'))).toBe(false);
    expect(existsSync(join(directory, 'manifest.json'))).toBe(false);
    release();
    await done;
    expect(await differences(directory, bundle)).toEqual([]);
  });

  it('refuses to wait for a file that the manifest does not have', async () => {
    const { file, done } = download();
    await expect(file('four')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await done;
  });

  it('trusts of a partial file only the chunks whose sums are right', async () => {
    await download().done;
    source.asked.length = 0;
    const partial = join(directory, 'a/one.partial');
    await rename(join(directory, 'a/one'), partial);
    await flipBit(partial, 2 * CHUNK + 17);
    await rm(join(directory, 'two'));
    await download().done;
    expect(source.asked.sort()).toEqual(['a/one 2', 'two 0', 'two 1', 'two 2']);
    expect(await differences(directory, bundle)).toEqual([]);
  });

  it('fetches what a partial file that is too short or too long lacks', async () => {
    await mkdir(join(directory, 'a'), { recursive: true });
    await writeFile(join(directory, 'a/one.partial'), bundle.contents.get('a/one') as Buffer);
    await truncate(join(directory, 'a/one.partial'), 2 * CHUNK + 1);
    await writeFile(
      join(directory, 'two.partial'),
      Buffer.concat([bundle.contents.get('two') as Buffer, Buffer.alloc(9)]),
    );
    await download().done;
    expect(source.asked.sort()).toEqual(['a/one 2', 'a/one 3', 'a/one 4', 'c/three 0']);
    expect(await differences(directory, bundle)).toEqual([]);
  });

  it('repairs a damaged file, which has not its own name meanwhile', async () => {
    await download().done;
    await flipBit(join(directory, 'a/one'), 0);
    await truncate(join(directory, 'two'), 100);
    await rename(join(folder, 'from'), join(folder, 'away'));
    await expect(download().done).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(join(directory, 'a/one'))).toBe(false);
    await rename(join(folder, 'away'), join(folder, 'from'));
    source.asked.length = 0;
    await download().done;
    expect(source.asked.sort()).toEqual(['a/one 0', 'two 0', 'two 1', 'two 2']);
    expect(await differences(directory, bundle)).toEqual([]);
  });

  it('replaces a bundle with another manifest, whose manifest goes first', async () => {
    await download().done;
    const other = randomBundle({ 'a/one': 4500, two: 20 }, CHUNK, 2);
    await writeBundle(join(folder, 'other'), other);
    const otherSource = new FileSource(join(folder, 'other'));
    let seen: boolean | undefined;
    const { done } = startDownload({
      source: otherSource,
      manifest: other.manifest,
      directory,
      onProgress: () => {
        seen ??= existsSync(join(directory, 'manifest.json'));
      },
    });
    await done;
    expect(seen).toBe(false);
    expect((await differences(directory, other)).filter((line) => !line.endsWith('left over'))).toEqual([]);
    expect(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))).toEqual(other.manifest);
  });

  it('does nothing to a bundle that is whole', async () => {
    await download().done;
    const before = await stat(join(directory, 'manifest.json'));
    source.asked.length = 0;
    await download().done;
    expect(source.asked).toEqual([]);
    expect((await stat(join(directory, 'manifest.json'))).ino).toBe(before.ino);
  });

  it('reports bytes as they come, never more than there are, less when a chunk is wrong', async () => {
    const MIB = 1024 * 1024;
    const large = randomBundle({ large: 4 * MIB }, 2 * MIB);
    await writeBundle(join(folder, 'large'), large);
    let failures = 1;
    const files = new FileSource(join(folder, 'large'));
    const breaking: ByteSource = {
      description: 'breaking',
      readSmall: files.readSmall.bind(files),
      async open(path, range, signal) {
        const body = await files.open(path, range, signal);
        if (range.start === 0 || failures-- === 0) return body;
        return withoutTheLastByte(body);
      },
    };
    const seen: number[] = [];
    const onProgress = (done: number, total: number, file: string) => {
      expect([total, file]).toEqual([4 * MIB, 'large']);
      seen.push(done / MIB);
    };
    await startDownload({
      source: breaking,
      manifest: large.manifest,
      directory,
      policy,
      parallelism: 1,
      onProgress,
    }).done;
    expect(seen).toEqual([1, 2, 3, 2, 3, 4]);
  });

  it('refuses a bundle that does not fit on the disk, before it writes anything', async () => {
    const file = { path: 'huge', size: 2 ** 52, sha256: '0'.repeat(64), crc32: ['00000000'] };
    const manifest = { ...bundle.manifest, chunk_size: 2 ** 52, files: [file] };
    await expect(download({ manifest }).done).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message: expect.stringMatching(
        /^not enough disk space for .*: 4503599628 MB more are needed, \d+ MB are free$/,
      ),
    });
    expect(existsSync(join(directory, 'huge.partial'))).toBe(false);
  });

  it('names a directory that it cannot create', async () => {
    await writeFile(join(folder, 'file'), '');
    const inside = join(folder, 'file', 'inside');
    await expect(download({ directory: inside }).done).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(inside),
    });
  });

  it('names the file that a folder is in the way of, and tells everyone who waits', async () => {
    await mkdir(join(directory, 'two.partial'), { recursive: true });
    const { file, done } = download();
    await expect(file('two')).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(done).rejects.toThrow(join(directory, 'two'));
  });

  it('says which file the source lacks, and stops at once', async () => {
    await rm(join(folder, 'from', 'a/one'));
    const { file, done } = download({ parallelism: 1 });
    const expected = { code: 'NOT_FOUND', message: `${join(folder, 'from', 'a/one')} does not exist` };
    await expect(done).rejects.toMatchObject(expected);
    await expect(file('c/three')).rejects.toMatchObject(expected);
    expect(source.asked).toEqual(['a/one 0']);
  });

  it('fails for good, with both sums, when the source itself is damaged', async () => {
    await flipBit(join(folder, 'from', 'two'), 1500);
    await expect(download().done).rejects.toMatchObject({
      code: 'INVALID_FILE',
      retryable: false,
      message: expect.stringMatching(
        /two \[1000, 2000\): crc32 is [0-9a-f]{8}, the manifest says [0-9a-f]{8} \(4 attempts\)$/,
      ),
    });
    expect(source.asked.filter((asked) => asked === 'two 1')).toHaveLength(4);
    expect(existsSync(join(directory, 'two'))).toBe(false);
    expect(existsSync(join(directory, 'manifest.json'))).toBe(false);
  });

  it('stops when it is told to, and goes on from there', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const stopping: ByteSource = {
      description: 'stopping',
      readSmall: source.readSmall.bind(source),
      async open(path, range, signal) {
        if (path === 'two') controller.abort(reason);
        return source.open(path, range, signal);
      },
    };
    const stopped = download({ source: stopping, parallelism: 1, signal: controller.signal });
    await expect(stopped.done).rejects.toBe(reason);
    await expect(stopped.file('two')).rejects.toBe(reason);
    expect(existsSync(join(directory, 'manifest.json'))).toBe(false);
    source.asked.length = 0;
    await download().done;
    expect(source.asked.sort()).toEqual(['c/three 0', 'two 0', 'two 1', 'two 2']);
    expect(await differences(directory, bundle)).toEqual([]);
  });

  it('does not start when it has been stopped before', async () => {
    const reason = new Error('enough');
    await expect(download({ signal: AbortSignal.abort(reason) }).done).rejects.toBe(reason);
    expect(source.asked).toEqual([]);
  });
});

async function* withoutTheLastByte(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of body) {
    if (held) yield held;
    held = piece;
  }
  if (held) yield held.subarray(0, -1);
}

async function flipBit(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([(buffer[0] as number) ^ 1]), 0, 1, at);
  await handle.close();
}
