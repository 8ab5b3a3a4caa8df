import OpenAI, { APIError } from 'openai';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { ProblemError } from '../../functions/shared/problem-response.js';
import { readKey } from '../../functions/shared/read-key.js';
import { openaiErrorSchema, openaiImageAnswerSchema } from '../../lib/schemas/openai/image-answer.js';
import { type MemoryServices, memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';

const BASE = 'http://service.test';

let endpoint: ScriptedEndpoint;
let memory: MemoryServices;
let app: ReturnType<typeof apiApp>;
/** Every answer that went to OpenAI's client. */
let answers: Response[];

beforeEach(() => {
  endpoint = new ScriptedEndpoint();
  const telemetry = new RecordingTelemetry();
  memory = memoryServices({ endpoint, telemetry });
  answers = [];
  app = apiApp({
    services: memory.services,
    telemetry,
    caller: ({ headers }) => {
      if (readKey(headers) === undefined) throw new ProblemError(401, 'a key is needed');
      if (readKey(headers) !== 'key') throw new ProblemError(401, 'this key is not known');
      return 'somebody';
    },
    baseUrl: () => BASE,
  });
});
afterEach(() => memory.queue.stop());

/** OpenAI's own package, told nothing but where the service is and its key. */
function openai(apiKey = 'key', maxRetries = 2): OpenAI {
  const send: typeof fetch = async (input, init) => {
    const response = await app.fetch(new Request(input, init));
    const { status, headers } = response;
    const text = await response.text();
    answers.push(new Response(text, { status, headers }));
    // Goes before Retry-After, which says half a minute where no wake has been seen yet.
    headers.set('retry-after-ms', '5');
    return new Response(text, { status, headers });
  };
  return new OpenAI({ baseURL: `${BASE}/v1`, apiKey, maxRetries, fetch: send });
}

test('draws, in the shape that OpenAI has', async () => {
  const { data = [] } = await openai().images.generate({
    prompt: 'a tree',
    n: 2,
    size: '512x512',
    user: 'me',
  });
  expect(data).toHaveLength(2);
  for (const { b64_json = '' } of data) {
    const { format, width } = await sharp(Buffer.from(b64_json, 'base64')).metadata();
    expect([format, width]).toEqual(['png', 512]);
  }
  const answer = openaiImageAnswerSchema.parse(await answers[0]?.json());
  expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(60);
});

test('null says nothing, as in its types', async () => {
  const nothing = { n: null, size: null, response_format: null, model: null, output_format: null };
  const { data = [], output_format } = await openai().images.generate({ prompt: 'a tree', ...nothing });
  expect([data.length, output_format]).toEqual([1, 'png']);
});

test('a model name, the automatic size and another format are taken', async () => {
  const request = { prompt: 'a tree', model: 'gpt-image-1', size: 'auto', output_format: 'webp' } as const;
  const { data = [] } = await openai().images.generate(request);
  expect((await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64')).metadata()).format).toBe('webp');
});

test("a cold start is followed by the client's own retries, and wakes the endpoint once", async () => {
  endpoint.sleep();
  const { data } = await openai().images.generate({ prompt: 'a tree' });
  expect(data).toHaveLength(1);
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
  for (const { headers } of answers.slice(0, -1))
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(endpoint.wakes).toBe(1);
  expect(memory.store.requests.size).toBe(0);
});

describe("errors are in OpenAI's shape", () => {
  test.each([
    ['no prompt', { prompt: '' }, 'prompt'],
    ['too many', { prompt: 'x', n: 5 }, 'n'],
    ['another size', { prompt: 'x', size: '1024x768' }, 'size'],
    ['an address in a stream', { prompt: 'x', response_format: 'url', stream: true }, 'response_format'],
    ['a wish that cannot be granted', { prompt: 'x', background: 'transparent' }, 'background'],
    ['an unknown field', { prompt: 'x', negative_prompt: 'y' }, 'negative_prompt'],
  ])('%s: names the parameter', async (_, body, param) => {
    const error = await openai()
      .images.generate(body as OpenAI.ImageGenerateParams)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 400, param, type: 'invalid_request_error' });
    openaiErrorSchema.parse(await answers[0]?.json());
  });

  test('another key', async () => {
    const error = await openai('other')
      .images.generate({ prompt: 'x' })
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error.type).toBe('authentication_error');
  });

  test('a model that fails', async () => {
    endpoint.failNext('model');
    const error = await openai('key', 0)
      .images.generate({ prompt: 'x' })
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 502, type: 'server_error' });
  });

  test.each([
    ['GET', undefined, 405],
    ['POST', '{', 400],
  ])('%s %s', async (method, body, status) => {
    const headers = { 'x-api-key': 'key', 'content-type': 'application/json' };
    const response = await app.request('/v1/images/generations', { method, headers, ...(body && { body }) });
    expect(response.status).toBe(status);
    openaiErrorSchema.parse(await response.json());
    expect(response.headers.get('x-request-id')).toBeTruthy();
  });
});
