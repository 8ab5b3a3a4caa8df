import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { openaiImageAnswerSchema } from '../../../lib/schemas/openai/image-answer.js';
import { OPENAI_SIZES } from '../../../lib/schemas/openai/image-request.js';
import { SCRIPTED_SIDE } from '../../support/predictions/scripted-endpoint.js';
import { openaiService } from './service.js';

const { asked, client, endpoint, send, store, stop } = openaiService();
afterAll(stop);

const draw = async (body: object) => {
  const init = { method: 'POST', body: JSON.stringify({ prompt: 'a tree', ...body }) };
  const response = await send('/v1/images/generations', {
    ...init,
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(200);
  return openaiImageAnswerSchema.parse(await response.json());
};

describe('size', () => {
  test.each(OPENAI_SIZES)('%s: the picture has it, and the answer says how', async (size) => {
    const answer = await draw({ size, response_format: 'b64_json', model: 'dall-e-3' });
    const { width, height } = await sharp(Buffer.from(answer.data[0]?.b64_json ?? '', 'base64')).metadata();
    expect(`${width}x${height}`).toBe(size);
    expect(answer.size).toBe(size);
    const [words] = answer.warnings ?? [];
    expect(words).toContain(`${SCRIPTED_SIDE}x${SCRIPTED_SIDE}`);
    expect(words).toContain(size);
  });

  test.each([{}, { size: 'auto' }, { size: null }])("%j: the model's own, without a word", async (body) => {
    const answer = await draw(body);
    expect(answer.size).toBe(`${SCRIPTED_SIDE}x${SCRIPTED_SIDE}`);
    expect(answer.warnings).toBeUndefined();
  });

  test("the model's own by its name, where the service knows it", async () => {
    endpoint.state = async () => ({ state: 'ready', size: { width: 768, height: 768 } });
    await draw({ size: '768x768' });
    expect(asked.at(-1)?.size).toBeUndefined();
    const error = await client()
      .images.generate({ prompt: 'x', size: '640x480' } as never)
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 400, param: 'size', code: 'invalid_value' });
    expect(error.message).toContain('auto, 768x768, 256x256');
  });
});

describe('quality is steps', () => {
  test.each([
    [undefined, 1, 'low'],
    ['auto', 1, 'low'],
    ['standard', 1, 'low'],
    ['low', 1, 'low'],
    ['medium', 2, 'medium'],
    ['high', 4, 'high'],
    ['hd', 4, 'high'],
  ])('%s: %d, told as %s', async (quality, steps, told) => {
    const answer = await draw({ quality });
    expect([asked.at(-1)?.num_steps, answer.quality]).toEqual([steps, told]);
  });
});

test.each([
  [{ style: 'natural' }, 'style'],
  [{ output_compression: 50 }, 'output_compression'],
  [{ partial_images: 2 }, 'partial_images'],
])('%j is taken, and the answer says that it changes nothing', async (body, field) => {
  expect((await draw(body)).warnings).toEqual([
    expect.stringMatching(new RegExp(`^${field}: has no effect`)),
  ]);
});

test.each([{ style: 'vivid' }, { output_compression: 100 }, { partial_images: 0 }, { moderation: 'low' }])(
  '%j asks for what there is: not a word',
  async (body) => {
    expect((await draw(body)).warnings).toBeUndefined();
  },
);

test('the answer says what has drawn, whatever was named', async () => {
  for (const model of ['dall-e-2', 'gpt-image-1', 'scripted', undefined])
    expect((await draw({ model })).model).toBe('scripted');
});

test('nothing is stored for who wants base64', async () => {
  const before = store.pictures.size;
  await draw({ response_format: 'b64_json' });
  await draw({ model: 'gpt-image-1' });
  expect(store.pictures.size).toBe(before);
  await draw({ response_format: 'url', n: 2 });
  expect(store.pictures.size).toBe(before + 2);
});

test('streamed: an event for each picture, as the openai package reads them', async () => {
  const stream = await client().images.generate({
    prompt: 'a tree',
    model: 'gpt-image-1',
    n: 2,
    stream: true,
    partial_images: 2,
    size: '1024x1024',
  });
  const events = [];
  for await (const event of stream) events.push(event);
  expect(events.map(({ type }) => type)).toEqual([
    'image_generation.completed',
    'image_generation.completed',
  ]);
  for (const { b64_json, size, output_format, created_at } of events) {
    expect((await sharp(Buffer.from(b64_json, 'base64')).metadata()).width).toBe(1024);
    expect([size, output_format]).toEqual(['1024x1024', 'png']);
    expect(Math.abs(created_at - Date.now() / 1000)).toBeLessThan(60);
  }
});

test('how a refusal is called is as with OpenAI', async () => {
  for (const [body, code] of [
    [{ prompt: 'x', seed: 1 }, 'unknown_parameter'],
    [{}, 'missing_required_parameter'],
    [{ prompt: 1 }, 'invalid_type'],
    [{ prompt: 'x', n: 9 }, 'invalid_value'],
  ] as const) {
    const error = await client()
      .images.generate(body as never)
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 400, code });
  }
});
