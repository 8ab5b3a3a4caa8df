import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Mt19937 } from '../../../lib/random/mt19937.js';
import { crc32 } from '../../../lib/weights/bytes/crc32.js';
import type { DownloadProps } from '../../../lib/weights/download/download-bundle.js';

export interface RandomBundle {
  /** Not necessarily one that the schema accepts: its chunks are as small as the test wants. */
  readonly manifest: DownloadProps['manifest'];
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** Uniform in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  const engine = new Mt19937(seed);
  return () => engine.nextUint32() / 2 ** 32;
}

export function randomBytes(length: number, seed: number): Buffer {
  const engine = new Mt19937(seed);
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => engine.nextUint32());
  return Buffer.from(words.buffer, 0, length);
}

/** @param sizes bytes of each file, in the manifest's order */
export function randomBundle(
  sizes: Readonly<Record<string, number>>,
  chunkSize: number,
  seed = 1,
): RandomBundle {
  const contents = new Map(
    Object.entries(sizes).map(([path, size], index) => [path, randomBytes(size, 1000 * seed + index)]),
  );
  const files = [...contents].map(([path, bytes]) => ({
    path,
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, index) =>
      crc32(bytes.subarray(index * chunkSize, (index + 1) * chunkSize))
        .toString(16)
        .padStart(8, '0'),
    ),
  }));
  const manifest = {
    format: 'sd-turbo-bundle' as const,
    version: 1 as const,
    dialect: 'standard' as const,
    precision: 'float32' as const,
    source: { repo: 'test/random', revision: null },
    chunk_size: chunkSize,
    files,
  };
  return { manifest, contents };
}

export async function writeBundle(directory: string, { contents, manifest }: RandomBundle): Promise<void> {
  for (const [path, bytes] of [...contents, ['manifest.json', JSON.stringify(manifest)] as const]) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

/** Creates the bucket and puts the bundle at its top. */
export async function uploadBundle(client: S3Client, bucket: string, bundle: RandomBundle): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const files = [...bundle.contents, ['manifest.json', JSON.stringify(bundle.manifest)] as const];
  for (const [Key, Body] of files) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}

/** Every file below a directory with its bytes, less `manifest.json`. */
export async function readTree(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'manifest.json');
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const read = paths.map(async (path) => [path.slice(directory.length + 1), await readFile(path)] as const);
  return new Map(await Promise.all(read));
}

/** A line for each way in which a directory differs from the bundle; empty when it is right. */
export async function differences(directory: string, { contents }: RandomBundle): Promise<string[]> {
  const found = await readTree(directory);
  const wrong = [...contents]
    .filter(([path, bytes]) => !found.get(path)?.equals(bytes))
    .map(([path]) => `${path} is ${found.has(path) ? 'wrong' : 'missing'}`);
  const extra = [...found.keys()].filter((path) => !contents.has(path)).map((path) => `${path} is left over`);
  return [...wrong, ...extra];
}
