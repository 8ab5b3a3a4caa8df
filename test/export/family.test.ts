import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { graphPath, type NetworkName, openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { Network } from '../../lib/pipeline/network.js';
import { toFloats } from '../../lib/runtime/tensor.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { readSafetensors, type TestTensor } from '../support/graphs/read-safetensors.js';
import { relativeDifference } from '../support/graphs/relative-difference.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT, readCases } from '../support/reference.js';

/** Checkpoints with what the reference checkpoints leave out; make_family.py there says what. */
const FAMILY = join(ROOT, 'test/fixtures/family');
const PIXEL_TOLERANCE = 1;
const TENSOR_TOLERANCE = 1e-4;
/** The UNet's input in tensors.safetensors is of this step. */
const TIMESTEP = 999;

const scratch = mkdtempSync(join(tmpdir(), 'family-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe.each(['unusual', 'sharded'])('the checkpoint "%s" gives what diffusers gives', (name) => {
  const folder = join(FAMILY, name);
  const expected = join(folder, 'expected');
  const tensors = readSafetensors(join(expected, 'tensors.safetensors'));
  const tensor = (key: string) => tensors.get(key) as TestTensor;
  const feed = (key: string) => ({ values: tensor(key).data, dims: tensor(key).shape });

  const host = startSessionHost();
  afterAll(() => host.close());
  const bundle = importBundle(name);
  const load = async (network: NetworkName) =>
    new Network(
      host,
      network,
      await host.load(network, graphPath(await bundle, network), { provider: 'cpu' }),
    );

  test('text encoder', async () => {
    const network = await load('text_encoder');
    const { output } = await network.run({ input_ids: feed('input_ids') }, 'last_hidden_state');
    expect(relativeDifference(toFloats(output), tensor('last_hidden_state'))).toBeLessThan(TENSOR_TOLERANCE);
  });

  test('UNet', async () => {
    const network = await load('unet');
    const feeds = {
      sample: feed('model_input'),
      timestep: { values: Float32Array.of(TIMESTEP), dims: [1] },
      encoder_hidden_states: feed('last_hidden_state'),
    };
    const { output } = await network.run(feeds, 'out_sample');
    expect(relativeDifference(toFloats(output), tensor('model_output'))).toBeLessThan(TENSOR_TOLERANCE);
  });

  test.each(readCases(expected))('$decoder, $num_steps step(s), seed $seed, $files', async (drawn) => {
    const { prompt, num_steps: steps, seed, num_images, decoder } = drawn;
    const pipeline = await loadTextToImage(await openBundle(await bundle), host, { provider: 'cpu' });
    const { images } = await pipeline.run({ prompt, steps, seed, images: num_images ?? 1, decoder });
    expect(images).toHaveLength(drawn.files.length);
    for (const [index, image] of images.entries()) {
      const file = join(expected, drawn.files[index] as string);
      expect(await largestDifference(image, file)).toBeLessThanOrEqual(PIXEL_TOLERANCE);
    }
  });
});

test('the sharded checkpoint is one', () => {
  for (const part of ['text_encoder', 'unet'])
    expect(
      readdirSync(join(FAMILY, 'sharded/checkpoint', part)).filter((file) => file.includes('-of-')).length,
    ).toBeGreaterThan(1);
});

async function importBundle(name: string): Promise<string> {
  const [from, to] = [join(FAMILY, name, 'checkpoint'), join(scratch, name)];
  const taesd = `${from}-taesd`;
  await importCheckpoint({ from, to, ...(existsSync(taesd) && { taesd }) });
  return to;
}
