import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.js';
import { CHUNK_SIZE, type Manifest, type ManifestFile, manifestSchema } from '../schemas/manifest.js';
import { crc32 } from './crc32.js';

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
  const handles = await Promise.all(files.map((file) => open(join(folder, file))));
  try {
    const sizes = await Promise.all(handles.map(async (handle) => (await handle.stat()).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let done = 0;
    const summed: ManifestFile[] = [];
    for (const [index, path] of files.entries()) {
      const chunks = readChunks(handles[index] as FileHandle, sizes[index] as number);
      const onBytes = (bytes: number) => {
        done += bytes;
        onProgress(done, total);
      };
      summed.push(await sumFile(path, chunks, onBytes));
    }
    const manifest = {
      format: 'sd-turbo-bundle',
      version: 1,
      ...about,
      chunk_size: CHUNK_SIZE,
      files: summed,
    };
    return manifestSchema.parse(manifest);
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/** Every chunk but the last is exactly CHUNK_SIZE long; each is valid until the next is asked for. */
async function* readChunks(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_SIZE, size));
  for (let start = 0; start < size; start += CHUNK_SIZE) {
    const length = Math.min(CHUNK_SIZE, size - start);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, start + filled);
      if (bytesRead === 0)
        throw new AppError('INVALID_FILE', 'a file of the bundle shrank while it was read');
      filled += bytesRead;
    }
    yield buffer.subarray(0, length);
  }
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
