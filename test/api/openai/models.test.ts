import OpenAI from 'openai';
import { afterAll, expect, test } from 'vitest';
import { openaiModelSchema } from '../../../lib/schemas/openai/image-answer.js';
import { openaiService } from './service.js';

const { client, endpoint, send, stop } = openaiService();
afterAll(stop);

test.each([
  ['stabilityai/sd-turbo@b261bac6fd2cf515557d5d0707481eafa0485ec2', 'sd-turbo', 'stabilityai'],
  ['stabilityai/sd-turbo', 'sd-turbo', 'stabilityai'],
  ['sd-turbo-demo', 'sd-turbo-demo', 'unknown'],
  [undefined, 'sd-turbo', 'unknown'],
])('%s is listed as %s of %s, and found by that', async (model, id, owner) => {
  endpoint.state = async () => ({ state: 'ready', ...(model && { model }) });
  const { data } = await client().models.list();
  expect(data.map((each) => openaiModelSchema.parse(each))).toEqual([
    { id, object: 'model', created: 0, owned_by: owner },
  ]);
  expect(await client().models.retrieve(id)).toEqual(data[0]);
});

test('another one is not there, by whatever name', async () => {
  for (const id of ['dall-e-3', 'a/b', 'x'.repeat(500)]) {
    const error = await client()
      .models.retrieve(id)
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 404, type: 'invalid_request_error' });
    expect(error.message.length).toBeLessThan(250);
  }
});

test('a key is needed', async () => {
  await expect(client('other').models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  expect((await send('/v1/models', { method: 'POST' })).status).toBe(405);
});
