import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { graphPath, openBundle } from '../../lib/pipeline/bundle.js';
import { MODEL_CARD } from '../../lib/schemas/model-card.js';
import { DEMO_CARD } from '../support/demo-card.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'import-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const MODEL = join(ROOT, 'lib/demo-model/model');
const WEIGHTS = 'diffusion_pytorch_model.safetensors';

function copyOfModel(): string {
  const folder = mkdtempSync(join(scratch, 'model-'));
  cpSync(MODEL, folder, { recursive: true });
  return folder;
}

describe('weights', () => {
  test('are copies, which nobody else can change', async () => {
    const [from, to] = [copyOfModel(), join(scratch, 'copied')];
    await importCheckpoint({ from, to });
    const [theirs, ours] = [from, to].map((folder) => join(folder, 'unet', WEIGHTS)) as [string, string];
    expect([statSync(ours).nlink, readFileSync(ours).equals(readFileSync(theirs))]).toEqual([1, true]);
  });

  test('that are sums lie in files of their own, beside the networks that upsample', async () => {
    const to = join(scratch, 'summed');
    const { files } = await importCheckpoint({ from: MODEL, to, encoder: true });
    const summed = files.map(({ path }) => path).filter((path) => path.endsWith('/summed.bin'));
    expect(summed).toEqual(['unet/summed.bin', 'vae_decoder/summed.bin']);
    for (const path of summed)
      expect(
        readFileSync(join(to, path)).equals(readFileSync(join(ROOT, 'lib/demo-model/bundle', path))),
      ).toBe(true);
  });

  test('come from behind the links of a Hugging Face cache, and stay when the cache goes', async () => {
    const cache = mkdtempSync(join(scratch, 'cache-'));
    const [blobs, snapshot] = [join(cache, 'blobs'), join(cache, 'snapshots/abc')];
    mkdirSync(blobs);
    for (const file of readdirSync(MODEL, { recursive: true, encoding: 'utf8' })) {
      if (!statSync(join(MODEL, file)).isFile()) continue;
      const [blob, link] = [join(blobs, file.replaceAll('/', '-')), join(snapshot, file)];
      cpSync(join(MODEL, file), blob);
      mkdirSync(join(link, '..'), { recursive: true });
      symlinkSync(relative(join(link, '..'), blob), link);
    }
    const to = join(scratch, 'from-cache');
    await importCheckpoint({ from: snapshot, to });
    rmSync(cache, { recursive: true });

    const links = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((file) =>
      lstatSync(join(to, file)).isSymbolicLink(),
    );
    expect(links).toEqual([]);
    const host = startSessionHost();
    await host.load('unet', graphPath(to, 'unet'), { provider: 'cpu' });
    await host.close();
  });
});

test('a VAE that leaves its scaling factor to diffusers is drawn with 0.18215', async () => {
  const [from, to] = [copyOfModel(), join(scratch, 'no-factor')];
  const path = join(from, 'vae/config.json');
  const { scaling_factor: _, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(rest));
  await importCheckpoint({ from, to });
  expect((await openBundle(to)).decoders.get('vae')?.scalingFactor).toBe(0.18215);
});

test('a bundle is called what the checkpoint calls itself', async () => {
  const [from, to] = [copyOfModel(), join(scratch, 'with-card')];
  await importCheckpoint({ from, to });
  expect((await openBundle(to)).name).toBe(DEMO_CARD.name);
  const again = join(scratch, 'with-card-again');
  await importCheckpoint({ from: to, to: again });
  expect((await openBundle(again)).name).toBe(DEMO_CARD.name);
});

test('the bundle can be moved, and without a card it is called after the checkpoint', async () => {
  const [from, to] = [copyOfModel(), join(scratch, 'here')];
  rmSync(join(from, MODEL_CARD));
  await importCheckpoint({ from, to });
  const there = join(scratch, 'there');
  renameSync(to, there);
  expect((await openBundle(there)).name).toBe(basename(from));
  const host = startSessionHost();
  await host.load('unet', graphPath(there, 'unet'), { provider: 'cpu' });
  await host.close();
});

test('a failure half-way leaves nothing behind, and the older bundle as it was', async () => {
  const [from, parent] = [copyOfModel(), mkdtempSync(join(scratch, 'target-'))];
  const to = join(parent, 'bundle');
  await importCheckpoint({ from, to });
  const before = readFileSync(join(to, 'manifest.json'), 'utf8');
  const failing = importCheckpoint({
    from,
    to,
    onProgress: () => {
      throw new Error('stopped half-way');
    },
  });
  await expect(failing).rejects.toThrow('stopped half-way');
  expect(readdirSync(parent)).toEqual(['bundle']);
  expect(readFileSync(join(to, 'manifest.json'), 'utf8')).toBe(before);
});
