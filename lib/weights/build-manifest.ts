import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_SIZE, type Manifest, type ManifestFile, manifestSchema } from '../schemas/manifest.js';
import { crc32 } from './crc32.js';
import { type OpenFile, withFile } from './with-file.js';

/**
 * Sums up the files of a bundle, in the given order.
 *
 * @param onProgress bytes read so far and in all
 */
export async function buildManifest(
  folder: string,
  files: readonly string[],
  about: Pick<Manifest, 'dialect' | 'precision' | 'source'>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Manifest> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress(done, total);
  };
  const summed: ManifestFile[] = [];
  for (const path of files) {
    summed.push(
      await withFile(join(folder, path), ({ size, read }) => sumFile(path, readChunks(size, read), onBytes)),
    );
  }
  const manifest = {
    format: 'sd-turbo-bundle',
    version: 1,
    ...about,
    chunk_size: CHUNK_SIZE,
    files: summed,
  };
  return manifestSchema.parse(manifest);
}

/** Every chunk but the last is exactly CHUNK_SIZE long. */
async function* readChunks(size: number, read: OpenFile['read']): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < size; start += CHUNK_SIZE)
    yield read(start, Math.min(CHUNK_SIZE, size - start));
}

async function sumFile(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): Promise<ManifestFile> {
  const sha256 = createHash('sha256');
  const sums: string[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    sha256.update(chunk);
    sums.push(crc32(chunk).toString(16).padStart(8, '0'));
    size += chunk.length;
    onBytes(chunk.length);
  }
  return { path, size, sha256: sha256.digest('hex'), crc32: sums };
}
