import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HomeProcess } from '../support/processes/home-process.js';
import { REFUSED, VARIANTS } from './variants.js';

/** A prompt that the demo model knows. */
const prompt = 'A tree in a field under the night sky';

const scratch = mkdtempSync(join(tmpdir(), 'openai-npm-'));
let home: HomeProcess;
let client: OpenAI;
beforeAll(async () => {
  home = await new HomeProcess(['--data', join(scratch, 'data')], scratch).started();
  client = new OpenAI({ baseURL: `${home.url}/v1`, apiKey: home.key });
});
afterAll(async () => {
  await home?.kill();
  rmSync(scratch, { recursive: true });
});

async function bytesOf(picture: OpenAI.Image): Promise<Buffer[]> {
  const { b64_json, url } = picture;
  const fetched = url === undefined ? [] : [Buffer.from(await (await fetch(url)).arrayBuffer())];
  return [...(b64_json === undefined ? [] : [Buffer.from(b64_json, 'base64')]), ...fetched];
}

describe('client.images.generate', () => {
  test.each(VARIANTS)('%s', async (_, body, expected) => {
    const { pictures = 1, size: [width, height] = [512, 512], format = 'png', by } = expected;
    const { data = [], created } = await client.images.generate({ prompt, ...body });
    expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(120);
    expect(data).toHaveLength(pictures);
    for (const picture of data) {
      expect(Object.keys(picture)).toEqual(by === undefined ? ['b64_json', 'url'] : [by]);
      for (const bytes of await bytesOf(picture))
        expect(await sharp(bytes).metadata()).toMatchObject({ format, width, height });
    }
  });

  test('both ways bring the same picture', async () => {
    const { data: [picture] = [] } = await client.images.generate({ prompt });
    const [base64, fetched] = await bytesOf(picture as OpenAI.Image);
    expect(base64?.equals(fetched as Buffer)).toBe(true);
  });

  test('a stream', async () => {
    const types: string[] = [];
    for await (const event of await client.images.generate({ prompt, stream: true, partial_images: 2 }))
      types.push(event.type);
    expect(types).toEqual(['image_generation.completed']);
  });

  test.each(REFUSED)('%s is refused by name', async (_, body, param) => {
    const error = await client.images.generate({ prompt, ...body } as never).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param, type: 'invalid_request_error' });
  });
});

test('client.images.edit', async () => {
  const { data: [first] = [] } = await client.images.generate({ prompt, response_format: 'b64_json' });
  const image = await toFile(Buffer.from(first?.b64_json ?? '', 'base64'), 'tree.png', { type: 'image/png' });
  const { data: [changed] = [] } = await client.images.edit({
    image,
    prompt: 'A tree in a field at sunrise',
    model: 'gpt-image-1',
    size: '1024x1024',
  });
  const picture = Buffer.from(changed?.b64_json ?? '', 'base64');
  expect(await sharp(picture).metadata()).toMatchObject({ format: 'png', width: 1024 });
});

test('client.models', async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual(['sd-turbo-demo']);
  expect((await client.models.retrieve('sd-turbo-demo')).object).toBe('model');
  await expect(client.models.retrieve('dall-e-3')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('another key', async () => {
  const stranger = new OpenAI({ baseURL: `${home.url}/v1`, apiKey: 'sk-another', maxRetries: 0 });
  const refusal = await stranger.images.generate({ prompt }).catch((thrown) => thrown);
  expect(refusal).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(refusal.code).toBe('invalid_api_key');
});

test('an address needs no key, expires, and outlives a restart of the service', async () => {
  const { data: [picture] = [] } = await client.images.generate({ prompt, response_format: 'url' });
  const url = new URL(picture?.url ?? '');
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(response.headers.get('cache-control')).toMatch(/^private, max-age=\d+, immutable$/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  for (const [name, value] of [
    ['signature', 'A'.repeat(43)],
    ['expires', '9999999999'],
  ] as const) {
    const other = new URL(url);
    other.searchParams.set(name, value);
    expect((await fetch(other)).status).toBe(403);
  }
  expect((await fetch(url.href.replace(url.search, ''))).status).toBe(403);
  expect((await fetch(url.href.replace('/0.png', '/request.json'))).status).toBe(403);
  await home.kill();
  home = await new HomeProcess(['--data', join(scratch, 'data')], scratch).started();
  const moved = new URL(url);
  moved.port = new URL(home.url).port;
  expect(Buffer.from(await (await fetch(moved)).arrayBuffer())).toEqual(
    Buffer.from(await response.arrayBuffer()),
  );
});
