import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { ModelLoader } from '../../lib/pipeline/model-loader.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import { manifestSchema } from '../../lib/schemas/manifest.js';
import { FileSource } from '../../lib/weights/sources/file-source.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'cuda-bundle-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const bundle = join(scratch, 'bundle');
beforeAll(() => importCheckpoint({ from: join(ROOT, 'lib/demo-model/model'), to: bundle, dialect: 'cuda' }));

test('says what it is, and has its weights in one file per network', () => {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8')));
  expect([manifest.dialect, manifest.precision]).toEqual(['cuda', 'float16']);
  const weights = manifest.files.map(({ path }) => path).filter((path) => /\.(bin|safetensors)$/.test(path));
  expect(weights).toEqual(['text_encoder/weights.bin', 'unet/weights.bin', 'vae_decoder/weights.bin']);
});

test('is never float32', async () => {
  const from = join(ROOT, 'lib/demo-model/model');
  const options = { from, to: join(scratch, 'wide'), dialect: 'cuda', precision: 'float32' } as const;
  await expect(importCheckpoint(options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(existsSync(join(scratch, 'wide'))).toBe(false);
});

test('is copied like any other', async () => {
  const to = join(scratch, 'copy');
  const manifest = await importCheckpoint({ from: bundle, to, dialect: 'cuda' });
  expect(manifest.dialect).toBe('cuda');
  expect(
    readFileSync(join(to, 'unet/weights.bin')).equals(readFileSync(join(bundle, 'unet/weights.bin'))),
  ).toBe(true);
  await expect(importCheckpoint({ from: bundle, to, dialect: 'standard' })).rejects.toThrow('dialect cuda');
});

describe('on a machine without a GPU', () => {
  const refusal = {
    code: 'UNSUPPORTED',
    retryable: false,
    message: expect.stringMatching(
      /^--dialect cuda runs on NVIDIA GPUs only, not on the cpu.*sd-turbo-demo.*--dialect standard$/,
    ),
  };

  test('is refused before a graph is loaded', async () => {
    const host = startSessionHost();
    const loading = loadTextToImage(await openBundle(bundle), host, { provider: 'cpu' });
    await expect(loading).rejects.toMatchObject(refusal);
    await host.close();
  });

  test('is refused before it is fetched', async () => {
    const host = startSessionHost();
    const directory = join(scratch, 'fetched');
    const loader = new ModelLoader({ source: new FileSource(bundle), directory, host, provider: 'cpu' });
    await expect(loader.load(new AbortController().signal)).rejects.toMatchObject(refusal);
    expect(loader.status.state).toBe('failed');
    expect(existsSync(directory)).toBe(false);
    await host.close();
  });

  test('without its manifest it is still no crash', async () => {
    const bare = join(scratch, 'bare');
    await importCheckpoint({ from: bundle, to: bare });
    rmSync(join(bare, 'manifest.json'));
    const host = startSessionHost();
    const loading = loadTextToImage(await openBundle(bare), host, { provider: 'cpu' });
    await expect(loading).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('com.microsoft.NhwcConv'),
    });
    await host.close();
  });
});

test('on a GPU its graphs are taken as they are, others are optimised', async () => {
  // A session thread that says what it was asked, in place of one with a GPU.
  const entry = join(scratch, 'tells.mjs');
  writeFileSync(
    entry,
    `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, request }) =>
      parentPort.postMessage({ id, error: { code: 'INTERNAL', message: JSON.stringify(request.options) } }));`,
  );
  const asked = async (folder: string) => {
    const host = new SessionHost(pathToFileURL(entry));
    const loading = loadTextToImage(await openBundle(folder), host, { provider: 'cuda' });
    const error = await loading.then(
      () => expect.fail('it was loaded'),
      (reason: Error) => reason,
    );
    await host.close();
    return JSON.parse(error.message);
  };
  expect(await asked(bundle)).toEqual({ provider: 'cuda', asIs: true });
  expect(await asked(join(ROOT, 'lib/demo-model/bundle'))).toEqual({ provider: 'cuda', asIs: false });
});
