import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointApp } from '../../functions/endpoint/app.js';
import { MAX_BODY_BYTES } from '../../functions/shared/read-json-body.js';
import type { ImageDecoder } from '../../lib/image/image-decoder.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { modelWatch } from '../support/model-watch.js';
import {
  ENDED_BY_PICTURES,
  startImageDecoder,
  withScriptedDecoder,
} from '../support/pictures/image-decoder.js';
import { ROOT } from '../support/reference.js';

const DEMO = join(ROOT, 'lib/demo-model');
const IMAGE = readFileSync(join(DEMO, 'samples/night-tree.png')).toString('base64');

const host = startSessionHost();
const reader = startImageDecoder();
let pipeline: TextToImage;
let withoutEncoder: TextToImage;
beforeAll(async () => {
  const bundle = await openBundle(join(DEMO, 'bundle'));
  pipeline = await loadTextToImage(bundle, host, { provider: 'cpu' });
  withoutEncoder = await loadTextToImage({ ...bundle, encoder: undefined }, host, { provider: 'cpu' });
});
afterAll(() => host.close());

async function invoke(
  body: unknown,
  model: TextToImage = pipeline,
  decoder: ImageDecoder = reader,
): Promise<Response> {
  const app = endpointApp({
    pipeline: () => model,
    status: () => ({
      state: 'ready',
      bytes_done: 0,
      bytes_total: 0,
      provider: 'cpu',
      model: 'demo',
      seconds: {},
    }),
    decoder,
    queue: new JobQueue(4),
    watch: modelWatch(),
    deadlineMilliseconds: 30_000,
  });
  return app.request('/invocations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function draw(fields: object) {
  const response = await invoke({ prompt: 'a red house in the snow', seed: 3, ...fields });
  expect(response.status).toBe(200);
  return { response, answer: generateAnswerSchema.parse(await response.json()) };
}

test('begins with the picture: two steps, half of them done, unless the request says otherwise', async () => {
  const { response, answer } = await draw({ image: IMAGE });
  expect(answer.num_steps).toBe(2);
  expect(response.headers.get('server-timing')).toMatch(/encoder;dur=/);
  const said = await draw({ image: `data:image/png;base64,${IMAGE}`, num_steps: 2, strength: 0.5 });
  expect(said.answer.result).toBe(answer.result);
  const stronger = await draw({ image: IMAGE, strength: 1 });
  expect(stronger.answer.result).not.toBe(answer.result);
  const none = await draw({ num_steps: 2 });
  expect(none.answer.result).not.toBe(answer.result);
});

describe('what is wrong is named', () => {
  test.each([
    ['text', { image: 'a picture?' }, 400, 'image'],
    ['base64 of something else', { image: 'AAAA' }, 400, 'image'],
    ['a data URL of another type', { image: `data:image/gif;base64,${IMAGE}` }, 400, 'image'],
    ['a number', { image: 5 }, 400, 'image'],
    [
      'an image that is too long',
      { image: 'A'.repeat(4 * Math.ceil(MAX_IMAGE_BYTES / 3) - 4) },
      400,
      'image',
    ],
    ['strength alone', { strength: 0.5 }, 400, 'strength'],
    ['no strength', { image: IMAGE, strength: 0 }, 400, 'strength'],
    ['too much strength', { image: IMAGE, strength: 1.5 }, 400, 'strength'],
    ['less than a step', { image: IMAGE, num_steps: 2, strength: 0.49 }, 400, 'strength'],
  ])('%s', async (_, fields, status, field) => {
    const response = await invoke({ prompt: 'x', ...fields });
    const problem = problemSchema.parse(await response.json());
    expect(problem.status).toBe(status);
    expect(problem.detail).toContain(field);
  });

  test('a model without an encoder', async () => {
    const response = await invoke({ prompt: 'x', image: IMAGE }, withoutEncoder);
    expect(response.status).toBe(422);
    expect(problemSchema.parse(await response.json()).detail).toContain('image');
  });
});

test('a picture that ends its reader is refused, which no queue tries again, and the next one is read', async () => {
  const body = { prompt: 'x', image: IMAGE };
  const response = await withScriptedDecoder(ENDED_BY_PICTURES, (deaf) => invoke(body, pipeline, deaf));
  expect(response.status).toBe(400);
  expect(problemSchema.parse(await response.json()).detail).toMatch(
    /^image: must be a picture that takes less/,
  );
  expect((await invoke(body)).status).toBe(200);
});

test('only an image makes a body longer than 64 KiB', async () => {
  expect(IMAGE.length).toBeGreaterThan(MAX_BODY_BYTES);
  expect((await invoke({ prompt: 'x', image: IMAGE })).status).toBe(200);
  for (const body of [
    { prompt: 'x', other: IMAGE },
    `{"image": "${IMAGE}`,
    { image: 'A'.repeat(6_000_000) },
  ]) {
    expect((await invoke(body)).status).toBe(413);
  }
});
