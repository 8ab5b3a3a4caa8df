import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../../lib/schemas/manifest.js';
import { readManifest } from '../../../lib/weights/bundle/read-manifest.js';
import { FileSource } from '../../../lib/weights/sources/file-source.js';
import { randomBundle } from '../../support/graphs/random-bundle.js';

const { manifest } = randomBundle({ 'model_index.json': 10, 'unet/model.onnx': 20 }, CHUNK_SIZE);
const [first, second] = manifest.files;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'));
});
afterEach(() => rm(folder, { recursive: true }));

const read = () => readManifest(new FileSource(folder));
async function readOf(document: unknown): Promise<unknown> {
  await writeFile(
    join(folder, 'manifest.json'),
    typeof document === 'string' ? document : JSON.stringify(document),
  );
  return read();
}
const fails = (message: string) => ({
  name: 'AppError',
  code: 'INVALID_FILE',
  message: expect.stringContaining(`${folder}/manifest.json${message}`),
});

describe('readManifest', () => {
  it('reads a manifest', async () => {
    expect(await readOf(manifest)).toEqual(manifest);
  });

  it('reads one of today, with what the self-test draws', async () => {
    const thumbnail = '00'.repeat(3 * 8 * 8);
    const today = { ...manifest, version: 2, self_test: { vae: { mean: 127.5, spread: 40, thumbnail } } };
    expect(await readOf(today)).toEqual(today);
  });

  it('says when there is none', async () => {
    await expect(read()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `${folder}/manifest.json does not exist`,
    });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{"format"', ' is not JSON'],
    ['no text', Buffer.from([0x22, 0xff, 0x22]).toString('latin1'), ': the document: '],
    ['no object', [], ': the document: '],
    ['another version', { ...manifest, version: 3 }, ': version: '],
    ['an unknown field', { ...manifest, more: 1 }, ': the document: '],
    ['no files', { ...manifest, files: [] }, ': files: '],
    [
      'a path that leaves the bundle',
      { ...manifest, files: [{ ...first, path: '../x' }] },
      ': files.0.path: ',
    ],
    ['an absolute path', { ...manifest, files: [first, { ...second, path: '/etc/x' }] }, ': files.1.path: '],
    ['a size beyond all bounds', { ...manifest, files: [{ ...first, size: 2 ** 50 }] }, ': files.0.size: '],
    [
      'too few sums',
      { ...manifest, files: [{ ...first, crc32: [] }] },
      ': files.0.crc32: must have one entry per chunk',
    ],
    [
      'a path twice',
      { ...manifest, files: [first, second, first] },
      ': files.2.path: model_index.json is taken',
    ],
    [
      'two paths that are one where case is ignored',
      { ...manifest, files: [first, { ...first, path: 'Model_Index.json' }] },
      ': files.1.path: Model_Index.json is taken',
    ],
    [
      'itself',
      { ...manifest, files: [{ ...first, path: 'manifest.json' }] },
      ': files.0.path: manifest.json is taken',
    ],
  ])('refuses %s and names the field', async (_name, document, message) => {
    await expect(readOf(document)).rejects.toMatchObject(fails(message));
  });

  it('refuses a file that is too long without reading it all', async () => {
    await writeFile(join(folder, 'manifest.json'), '');
    await truncate(join(folder, 'manifest.json'), 2 ** 40);
    await expect(read()).rejects.toMatchObject(fails(' is longer than 4194304 bytes'));
  });

  it('refuses bytes that are not UTF-8', async () => {
    await writeFile(join(folder, 'manifest.json'), Buffer.from([0x22, 0xff, 0x22]));
    await expect(read()).rejects.toMatchObject(fails(' cannot be read as UTF-8'));
  });
});
