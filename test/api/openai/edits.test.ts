import { randomBytes } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { openaiErrorSchema, openaiImageAnswerSchema } from '../../../lib/schemas/openai/image-answer.js';
import { MAX_IMAGE_BYTES } from '../../../lib/schemas/request.js';
import { SCRIPTED_SIDE } from '../../support/predictions/scripted-endpoint.js';
import { openaiService } from './service.js';

const { asked, client, send, stop } = openaiService();
afterAll(stop);

const PNG = await sharp({ create: { width: 24, height: 16, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const file = (bytes: Buffer = PNG, name = 'picture.png') => toFile(bytes, name, { type: 'image/png' });

describe('POST /v1/images/edits, by the openai package', () => {
  test('draws from a picture, with half of two steps', async () => {
    const { data = [] } = await client().images.edit({ image: await file(), prompt: 'a tree' });
    const { format, width } = await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64')).metadata();
    expect([format, width]).toEqual(['png', SCRIPTED_SIDE]);
    expect(asked.at(-1)).toMatchObject({ prompt: 'a tree', num_steps: 2, strength: 0.5 });
    expect(asked.at(-1)?.image).toBe(PNG.toString('base64'));
  });

  test('what else is asked for', async () => {
    const { data = [], size } = await client().images.edit({
      image: await file(),
      prompt: 'a tree',
      n: 2,
      size: '256x256',
      model: 'dall-e-2',
      output_format: 'webp',
      quality: 'high',
      response_format: 'b64_json',
      user: 'me',
    });
    expect([data.length, size]).toEqual([2, '256x256']);
    expect(await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64')).metadata()).toMatchObject({
      format: 'webp',
      width: 256,
    });
    expect(asked.at(-1)).toMatchObject({ num_steps: 4, num_images: 2 });
  });

  test.each([
    [0.25, 4],
    [0.4, 3],
    [0.5, 2],
    [1, 2],
  ])('strength %d needs %d steps', async (strength, steps) => {
    // A field of this service's own: `extra_body` of the Python package.
    const body = { image: await file(), prompt: 'x', strength };
    await client().images.edit(body);
    expect(asked.at(-1)).toMatchObject({ strength, num_steps: steps });
  });

  test('one picture in a list is one picture', async () => {
    const { data } = await client().images.edit({ image: [await file()], prompt: 'x' });
    expect(data).toHaveLength(1);
  });

  test('streamed', async () => {
    const stream = await client().images.edit({ image: await file(), prompt: 'x', stream: true });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['image_edit.completed']);
    expect((await sharp(Buffer.from(events[0]?.b64_json ?? '', 'base64')).metadata()).format).toBe('png');
  });

  test.each([
    ['two pictures', async () => ({ image: [await file(), await file()], prompt: 'x' }), 'image'],
    ['a mask', async () => ({ image: await file(), mask: await file(), prompt: 'x' }), 'mask'],
    ['no prompt', async () => ({ image: await file(), prompt: '' }), 'prompt'],
    ['a text', async () => ({ image: await file(Buffer.from('hello'), 'a.png'), prompt: 'x' }), 'image'],
    ['an empty file', async () => ({ image: await file(Buffer.alloc(0)), prompt: 'x' }), 'image'],
    ['too many', async () => ({ image: await file(), prompt: 'x', n: 9 }), 'n'],
    ['too little strength', async () => ({ image: await file(), prompt: 'x', strength: 0.1 }), 'strength'],
    ['an unknown field', async () => ({ image: await file(), prompt: 'x', seed: 1 }), 'seed'],
  ])('%s: named', async (_, body, param) => {
    const error = await client()
      .images.edit((await body()) as OpenAI.ImageEditParamsNonStreaming)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param, type: 'invalid_request_error' });
  });

  test('a key that is none', async () => {
    const error = await client('other')
      .images.edit({ image: await file(), prompt: 'x' })
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error.code).toBe('invalid_api_key');
  });
});

describe('a form by hand', () => {
  const edit = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
    send('/v1/images/edits', { method: 'POST', body, headers });
  const form = (fields: Record<string, string | Blob>) => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    return data;
  };
  const image = new Blob([PNG]);
  const refusal = async (response: Response, status: number) => {
    expect(response.status).toBe(status);
    return openaiErrorSchema.parse(await response.json()).error;
  };

  test('as curl sends it; what is empty says nothing', async () => {
    const response = await edit(
      form({ image, prompt: 'a tree', n: '', size: 'null', response_format: 'url' }),
    );
    expect(response.status).toBe(200);
    const { data } = openaiImageAnswerSchema.parse(await response.json());
    expect(Object.keys(data[0] ?? {})).toEqual(['url']);
  });

  test('a picture as text is no file', async () => {
    const error = await refusal(await edit(form({ image: PNG.toString('base64'), prompt: 'x' })), 400);
    expect(error).toMatchObject({ param: 'image', code: 'invalid_value' });
  });

  test('a file of another name', async () => {
    const error = await refusal(await edit(form({ picture: image, image, prompt: 'x' })), 400);
    expect(error).toMatchObject({ param: 'picture', code: 'unknown_parameter' });
  });

  test('no image, no prompt', async () => {
    expect(await refusal(await edit(form({ prompt: 'x' })), 400)).toMatchObject({ param: 'image' });
    expect(await refusal(await edit(form({ image })), 400)).toMatchObject({
      param: 'prompt',
      code: 'missing_required_parameter',
    });
  });

  test.each([
    ['another content type', '{"prompt": "x"}', { 'content-type': 'application/json' }, 415],
    ['no boundary', 'x', { 'content-type': 'multipart/form-data' }, 415],
    ['nothing in it', '', { 'content-type': 'multipart/form-data; boundary=b' }, 400],
    [
      'no end',
      '--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nx',
      { 'content-type': 'multipart/form-data; boundary=b' },
      400,
    ],
    ['packed', 'x', { 'content-type': 'multipart/form-data; boundary=b', 'content-encoding': 'gzip' }, 415],
  ])('%s: %#', async (_, body, headers, status) => {
    await refusal(await edit(body, headers as Record<string, string>), status);
  });

  test('more bytes than a picture may have are not read on', async () => {
    const large = new Blob([randomBytes(MAX_IMAGE_BYTES + 100_000)]);
    await refusal(await edit(form({ image: large, prompt: 'x' })), 413);
    let taken = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        taken += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const init = { method: 'POST', body: endless, headers, duplex: 'half' } as RequestInit;
    await refusal(await send('/v1/images/edits', init), 413);
    expect(taken).toBeLessThan(MAX_IMAGE_BYTES + 1_000_000);
  });

  test('thousands of fields are counted and not worked on', async () => {
    const fields = form({});
    for (let count = 0; count < 5_000; count++) fields.append('prompt', 'x');
    expect((await refusal(await edit(fields), 400)).message).toMatch(/more than 64 fields/);
  });

  test('a field that comes twice counts once, and names of objects by nature are none', async () => {
    const data = form({ image, prompt: 'one' });
    data.append('prompt', 'two');
    expect((await edit(data)).status).toBe(200);
    expect(asked.at(-1)?.prompt).toBe('two');
    for (const name of ['__proto__', 'constructor', 'toString'])
      await refusal(await edit(form({ image, prompt: 'x', [name]: 'y' })), 400);
  });
});

test('GET is not taken, and variations say where to go', async () => {
  for (const [path, method, status] of [
    ['/v1/images/edits', 'GET', 405],
    ['/v1/images/variations', 'POST', 404],
    ['/v1/chat/completions', 'POST', 404],
  ] as const) {
    const response = await send(path, { method });
    expect(response.status).toBe(status);
    openaiErrorSchema.parse(await response.json());
  }
  const variations = await send('/v1/images/variations', { method: 'POST' });
  expect(await variations.text()).toContain('/v1/images/edits');
});
