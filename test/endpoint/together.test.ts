import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { endpointApp } from '../../functions/endpoint/app.js';
import { ModelWatch } from '../../functions/endpoint/model-watch.js';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { ModelLoader } from '../../lib/pipeline/model-loader.js';
import { drawTestPictures } from '../../lib/pipeline/warm-up.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { startImageDecoder } from '../support/pictures/image-decoder.js';
import { readPixels } from '../support/pictures/read-pixels.js';
import { ROOT } from '../support/reference.js';
import { plantNumber } from '../support/weights/plant-number.js';

const DEMO = join(ROOT, 'lib/demo-model/bundle');
/** Loads, warms up and draws a dozen pictures, on however few cores. */
const PATIENCE_MS = 120_000;

const scratch = mkdtempSync(join(tmpdir(), 'together-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const host = startSessionHost();
afterAll(() => host.close());
afterEach(() => vi.restoreAllMocks());

/** An endpoint whose requests share their runs of the UNet, as `endpointParts` puts it together. */
async function startEndpoint(maxBatchSize: number, { directory = DEMO, queueLimit = 16 } = {}) {
  const troubles: unknown[] = [];
  const broken: unknown[] = [];
  const onTrouble = (_: string, error: unknown) => void troubles.push(error);
  const props = { source: undefined, directory, host, provider: 'cpu', maxBatchSize, onTrouble } as const;
  const loader = new ModelLoader(props);
  const pipeline = await loader.load(new AbortController().signal);
  const watch = new ModelWatch({
    selfTest: () => drawTestPictures(pipeline),
    onBroken: (reason) => void broken.push(reason),
  });
  const queue = new JobQueue(queueLimit, maxBatchSize);
  const app = endpointApp({
    pipeline: () => pipeline,
    status: () => loader.status,
    decoder: startImageDecoder(),
    queue,
    watch,
    deadlineMilliseconds: 100_000,
  });
  const draw = async (body: object, signal?: AbortSignal) =>
    app.request('/invocations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  return { draw, queue, troubles, broken };
}

/** How many pictures each of the UNet's runs has drawn since now. */
function watchRuns(): number[] {
  const sizes: number[] = [];
  const run = host.run.bind(host);
  vi.spyOn(host, 'run').mockImplementation((network, feeds) => {
    if (network === 'unet') sizes.push(feeds['sample']?.dims[0] as number);
    return run(network, feeds);
  });
  return sizes;
}

async function picturesOf(response: Response): Promise<RgbImage[]> {
  expect(response.status).toBe(200);
  const { result, results = [result] } = generateAnswerSchema.parse(await response.json());
  return Promise.all(results.map((text) => readPixels(Buffer.from(text, 'base64'))));
}

async function expectSame(response: Response, alone: Response): Promise<void> {
  const [ours, theirs] = await Promise.all([picturesOf(response), picturesOf(alone)]);
  expect(ours.length).toBe(theirs.length);
  for (const [index, picture] of ours.entries())
    expect(await largestDifference(picture, theirs[index] as RgbImage)).toBeLessThanOrEqual(1);
}

const REQUESTS = [
  { prompt: 'a red house in the snow at sunset', seed: 1, num_steps: 1 },
  { prompt: 'a blue boat at sea at dawn', seed: 2, num_steps: 4 },
  { prompt: 'a green tree in a field', seed: 3, num_steps: 2 },
  { prompt: 'a blue boat at sea at dawn', seed: 4, num_steps: 3, num_images: 3 },
  { prompt: 'a tree at night', seed: 5, num_steps: 1, num_images: 2 },
  { prompt: 'a house by the sea', seed: 6, num_steps: 4 },
];

describe('requests that are drawn beside each other', () => {
  test(
    'share runs of the UNet, and get the pictures that each would have got alone',
    async () => {
      const together = await startEndpoint(4);
      const alone = await startEndpoint(1);
      const sizes = watchRuns();
      const responses = await Promise.all(REQUESTS.map((body) => together.draw(body)));
      expect(Math.max(...sizes)).toBeGreaterThan(3);
      const pictures = REQUESTS.reduce(
        (sum, { num_steps, num_images = 1 }) => sum + num_steps * num_images,
        0,
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(pictures);
      for (const [index, body] of REQUESTS.entries())
        await expectSame(responses[index] as Response, await alone.draw(body));
      expect([together.troubles, together.broken]).toEqual([[], []]);
    },
    PATIENCE_MS,
  );

  test(
    'one whose numbers are bad fails alone; one whose caller goes is left, and the others go on',
    async () => {
      const directory = join(scratch, 'bad-word');
      cpSync(DEMO, directory, { recursive: true });
      // In the middle of 1,274 tokens: of "painting", which the self-test does not use.
      await plantNumber(
        join(directory, 'text_encoder/model.safetensors'),
        'embeddings.token_embedding.weight',
      );
      const { draw, queue, broken } = await startEndpoint(4, { directory });
      const sound = { prompt: 'a red house', seed: 1, num_steps: 4 };
      const before = await draw(sound);
      const caller = new AbortController();
      const responses = [
        draw(sound),
        draw({ prompt: 'a painting', num_steps: 4 }),
        draw({ prompt: 'a tree', num_steps: 4 }, caller.signal),
        draw({ ...sound, num_images: 4 }),
        draw(sound),
      ];
      setTimeout(() => caller.abort(), 50);
      const [first, bad, gone, several, last] = (await Promise.all(responses)) as [
        Response,
        Response,
        Response,
        Response,
        Response,
      ];
      expect([bad.status, gone.status, several.status]).toEqual([502, 503, 200]);
      await expectSame(first, before.clone());
      await expectSame(last, before);
      await queue.drained();
      expect(broken).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    'as many as the queue takes may wait beside those',
    async () => {
      const { draw } = await startEndpoint(2, { queueLimit: 3 });
      const body = { prompt: 'a tree', seed: 1 };
      const responses = await Promise.all(Array.from({ length: 8 }, () => draw(body)));
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 200, 200, 200, 200, 503, 503, 503]);
    },
    PATIENCE_MS,
  );
});
