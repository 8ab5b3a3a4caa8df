import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { RecentTexts } from '../../lib/pipeline/recent-texts.js';
import type { TextToImage, TextToImageRequest } from '../../lib/pipeline/text-to-image.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const tokens = (...ids: readonly number[]) => Int32Array.from(ids);
const states = (value: number) => ({ values: Float32Array.of(value), dims: [1, 1, 1] });

test('the last 32 texts are kept, counted from when they were last asked for', () => {
  const texts = new RecentTexts();
  for (let text = 0; text < 32; text++) texts.keep(tokens(text), states(text));
  expect(texts.find(tokens(0))).toEqual(states(0));
  texts.keep(tokens(32), states(32));
  expect(texts.find(tokens(1))).toBeUndefined();
  expect(texts.find(tokens(0))).toEqual(states(0));
  expect(texts.find(tokens(32))).toEqual(states(32));
});

test('texts are told apart by all of their tokens', () => {
  const texts = new RecentTexts();
  texts.keep(tokens(1, 23), states(1));
  expect(texts.find(tokens(12, 3))).toBeUndefined();
  expect(texts.find(tokens(1, 23, 4))).toBeUndefined();
});

const host = startSessionHost();
afterAll(() => host.close());
let pipeline: TextToImage;
beforeAll(async () => {
  const bundle = await openBundle(join(ROOT, 'lib/demo-model/bundle'));
  pipeline = await loadTextToImage(bundle, host, { provider: 'cpu' });
});

const REQUEST: TextToImageRequest = {
  prompt: 'a blue boat at sea at dawn',
  steps: 1,
  seed: 8,
  images: 1,
  decoder: 'vae',
};
const textTime = async (request: Partial<TextToImageRequest>) =>
  (await pipeline.run({ ...REQUEST, ...request })).milliseconds.text_encoder;

test('the text encoder runs once for a prompt, and the picture is the same', async () => {
  // Who measures wants it to run each time.
  await pipeline.run(REQUEST);
  expect(await textTime({})).toBeGreaterThan(0);

  pipeline.keepTexts();
  const first = await pipeline.run(REQUEST);
  expect(first.milliseconds.text_encoder).toBeGreaterThan(0);
  const again = await pipeline.run(REQUEST);
  expect(again.milliseconds.text_encoder).toBe(0);
  expect(again.images).toEqual(first.images);
  expect(again.truncated).toBe(first.truncated);
  // White space is no part of a text, the seed and the steps are none of its business.
  expect(await textTime({ prompt: '  A blue  boat at sea at dawn', seed: 9, steps: 2, images: 2 })).toBe(0);
  expect(await textTime({ prompt: 'a red boat at sea at dawn' })).toBeGreaterThan(0);
});
