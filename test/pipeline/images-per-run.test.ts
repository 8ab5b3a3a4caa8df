import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import type { ValueInfo } from '../../lib/onnx/model.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import type { TextToImage, TextToImageRequest } from '../../lib/pipeline/text-to-image.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { readGraph } from '../support/graphs/run-graph.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const DEMO = join(ROOT, 'lib/demo-model/bundle');
const REQUEST: TextToImageRequest = {
  prompt: 'a blue boat at sea at dawn',
  steps: 3,
  seed: 8,
  images: 4,
  decoder: 'vae',
};

const scratch = mkdtempSync(join(tmpdir(), 'images-per-run-'));
const host = startSessionHost();
afterAll(async () => {
  await host.close();
  rmSync(scratch, { recursive: true });
});

let pipeline: TextToImage;
beforeAll(async () => {
  pipeline = await loadTextToImage(await openBundle(DEMO), host, { provider: 'cpu' });
});

test('four pictures in one run are those that come one by one', async () => {
  const { images } = await pipeline.run(REQUEST);
  expect(images).toHaveLength(4);
  const alone = await pipeline.run({ ...REQUEST, images: 1 });
  expect(await largestDifference(images[0] as never, alone.images[0] as never)).toBeLessThanOrEqual(1);
});

test('a graph that was exported for one picture is run for one', async () => {
  const folder = join(scratch, 'fixed');
  cpSync(DEMO, folder, { recursive: true });
  // Without a manifest it is another exporter's, whose files may be anything.
  rmSync(join(folder, 'manifest.json'));
  for (const network of ['unet', 'vae_decoder']) {
    const path = join(folder, network, 'model.onnx');
    const graph = readGraph(path);
    const fixed = (values: readonly ValueInfo[]) =>
      values.map((value) => ({ ...value, shape: [1, ...value.shape.slice(1)] }));
    writeFileSync(
      path,
      encodeModel({ ...graph, inputs: fixed(graph.inputs), outputs: fixed(graph.outputs) }),
    );
  }
  const { images } = await pipeline.run(REQUEST);
  const one = await loadTextToImage(await openBundle(folder), host, { provider: 'cpu' }, { maxBatchSize: 4 });
  expect(one.maxBatchSize).toBe(1);
  const others = await one.run(REQUEST);
  expect(others.images).toHaveLength(4);
  for (const [index, image] of images.entries())
    expect(await largestDifference(image, others.images[index] as never)).toBeLessThanOrEqual(1);
});
