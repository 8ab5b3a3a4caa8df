// Prints the size of an image in buildah's store: per layer and in all, as it lies on disk and as a registry
// would hold it (gzip, buildah's default level).
//
//   node test/container/image-size.mjs IMAGE

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const image = process.argv[2];
if (!image) throw new Error('usage: image-size.mjs IMAGE');

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1).padStart(9);

/** @param {string[]} args */
const buildah = (...args) => execFileSync('buildah', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });

/**
 * What each layer was made by: history has an entry for every instruction, layers only for those that wrote.
 * @param {{ created_by?: string, empty_layer?: boolean }[]} history
 */
const origins = (history) =>
  history
    .filter((entry) => !entry.empty_layer)
    .map((entry) => (entry.created_by ?? '').replace(/^\/bin\/sh -c (#\(nop\) )?/, '').slice(0, 90));

const folder = mkdtempSync(join(tmpdir(), 'image-size-'));
try {
  buildah('push', '--quiet', '--compression-format', 'gzip', image, `oci:${folder}:image`);
  /** @param {string} digest */
  const blobPath = (digest) => join(folder, 'blobs', ...digest.split(':'));
  /** @param {string} digest */
  const json = (digest) => JSON.parse(readFileSync(blobPath(digest), 'utf8'));
  const [{ digest }] = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests;
  const manifest = json(digest);
  const names = origins(json(manifest.config.digest).history);
  console.log('uncompressed   gzip (MB)');
  const total = { plain: 0, gzip: 0 };
  for (const [index, layer] of manifest.layers.entries()) {
    const plain = Number(
      execFileSync('sh', ['-c', 'gzip -dc "$0" | wc -c', blobPath(layer.digest)], { encoding: 'utf8' }),
    );
    total.plain += plain;
    total.gzip += layer.size;
    console.log(`${megabytes(plain)} ${megabytes(layer.size)}   ${names[index] ?? ''}`);
  }
  console.log(`${megabytes(total.plain)} ${megabytes(total.gzip)}   in all`);
} finally {
  rmSync(folder, { recursive: true });
}
