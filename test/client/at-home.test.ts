import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GenerateProgress } from '../../lib/client/client.js';
import { createClient } from '../../lib/client/create-client.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { until } from '../support/until.js';

const scratch = mkdtempSync(join(tmpdir(), 'at-home-'));
let home: HomeProcess;
beforeAll(async () => {
  home = await new HomeProcess(['--data', join(scratch, 'data'), '--scale-to-zero', '2'], scratch).started();
});
afterAll(async () => {
  await home.kill();
  rmSync(scratch, { recursive: true });
});

const pixels = async (bytes: Uint8Array) => (await sharp(bytes).metadata()).width;

test('the typed client follows a cold start, and draws the same picture warm', async () => {
  const client = createClient({ url: home.url, apiKey: home.key });
  await until('the endpoint sleeps', () => home.endpoints().length === 0);
  expect((await client.health()).state).toBe('asleep');
  const told: GenerateProgress[] = [];
  const input = { prompt: 'a blue boat at sea at dawn', seed: 7 };
  const cold = await client.generate(input, { onProgress: (progress) => told.push(progress) });
  expect(told.some(({ id }) => id !== undefined)).toBe(true);
  const warm = await client.generate(input);
  expect(warm.images).toEqual(cold.images);
  expect(await pixels(warm.images[0] as Uint8Array)).toBe(512);
  expect(warm.timings).toHaveProperty('unet');
});

test('a warm-up wakes it before anything is asked', async () => {
  const client = createClient({ url: home.url, apiKey: home.key });
  await until('the endpoint sleeps', () => home.endpoints().length === 0);
  expect((await client.warmUp()).state).toBe('waking');
  await until('it is up', () => home.endpoints().length === 1);
});

test("OpenAI's package draws through a cold start with nothing but the address and the key", async () => {
  await until('the endpoint sleeps', () => home.endpoints().length === 0);
  // Its own two retries are enough for a wake that is as short as the Retry-After.
  const openai = new OpenAI({ baseURL: `${home.url}/v1`, apiKey: home.key, maxRetries: 10 });
  const { data = [] } = await openai.images.generate({ prompt: 'a tree in a field' });
  expect(await pixels(Buffer.from(data[0]?.b64_json ?? '', 'base64'))).toBe(512);
});
