import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointApp } from '../../functions/endpoint/app.js';
import { MAX_BODY_BYTES } from '../../functions/shared/read-json-body.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import type { EndpointState, EndpointStatus } from '../../lib/schemas/endpoint-status.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { modelWatch } from '../support/model-watch.js';
import { startImageDecoder } from '../support/pictures/image-decoder.js';
import { ROOT } from '../support/reference.js';

const host = startSessionHost();
let pipeline: TextToImage;
beforeAll(async () => {
  pipeline = await loadTextToImage(await openBundle(join(ROOT, 'lib/demo-model/bundle')), host, {
    provider: 'cpu',
  });
});
afterAll(() => host.close());

function status(state: EndpointState): EndpointStatus {
  return { state, bytes_done: 1, bytes_total: 2, provider: 'cpu', model: 'demo', seconds: {} };
}

function appWith({ state = 'ready' as EndpointState, limit = 4, deadlineMilliseconds = 30_000 } = {}) {
  const queue = new JobQueue(limit);
  return endpointApp({
    pipeline: () => (state === 'ready' ? pipeline : undefined),
    status: () => status(state),
    decoder: startImageDecoder(),
    queue,
    watch: modelWatch(),
    deadlineMilliseconds,
  });
}

function post(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Request {
  return new Request('http://endpoint/invocations', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.request_id).toBe(response.headers.get('x-request-id'));
  return problem;
}

describe('GET /ping', () => {
  test.each(['starting', 'downloading', 'loading', 'warming', 'failed'] as const)(
    '%s is not ready',
    async (state) => {
      const response = await appWith({ state }).request('/ping');
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual(status(state));
    },
  );

  test('ready takes work', async () => {
    expect((await appWith().request('/ping')).status).toBe(200);
  });
});

describe('POST /invocations', () => {
  test('answers what the Truss client reads, and what made it', async () => {
    const response = await appWith().request(post({ prompt: 'A tree in a field', num_steps: 1, seed: 7 }));
    expect(response.status).toBe(200);
    const answer = generateAnswerSchema.parse(await response.json());
    const picture = await sharp(Buffer.from(answer.result, 'base64')).metadata();
    expect(picture).toMatchObject({ format: 'png', width: 512, height: 512 });
    expect(answer).toMatchObject({ seed: 7, num_steps: 1, tokens_cut: 0, decoder: 'vae', model: 'demo' });
    expect(answer.warnings).toBeUndefined();
    const timing = response.headers.get('server-timing') ?? '';
    const phases = timing.split(', ').map((entry) => entry.split(';')[0]);
    expect(phases).toEqual(['queue', 'load', 'text_encoder', 'unet', 'decoder', 'encode']);
  });

  test('the same seed gives the same bytes, and the seed used comes back', async () => {
    const app = appWith();
    const first = generateAnswerSchema.parse(await (await app.request(post({ prompt: 'a boat' }))).json());
    const again = await app.request(post({ prompt: 'a boat', seed: first.seed }));
    expect(generateAnswerSchema.parse(await again.json()).result).toBe(first.result);
  });

  test('words that the model does not know are told, in ASCII where they are in a header', async () => {
    const app = appWith();
    const prompt = 'a horse 🐎 by a tree';
    const answer = generateAnswerSchema.parse(await (await app.request(post({ prompt }))).json());
    expect(answer.warnings).toEqual([expect.stringContaining('does not know the words "horse", "🐎": ')]);
    const raw = await app.request(post({ prompt }, { accept: 'image/png' }));
    expect(raw.headers.get('x-warnings')).toMatch(/\\ud83d\\udc0e/);
    expect(JSON.parse(raw.headers.get('x-warnings') ?? '')).toEqual(answer.warnings);
  });

  test('several pictures, and a prompt that is too long', async () => {
    const response = await appWith().request(post({ prompt: 'a tree '.repeat(100), num_images: 2 }));
    const answer = generateAnswerSchema.parse(await response.json());
    expect(answer.results).toHaveLength(2);
    expect(answer.results?.[0]).toBe(answer.result);
    expect(answer.tokens_cut).toBe(200 - 75);
  });

  test.each(['png', 'jpeg', 'webp'])('Accept: image/%s gives the bytes', async (format) => {
    const response = await appWith().request(
      post({ prompt: 'x', seed: 3 }, { accept: `image/${format}, */*;q=0.5` }),
    );
    expect(response.headers.get('content-type')).toBe(`image/${format}`);
    expect(response.headers.get('x-seed')).toBe('3');
    expect(JSON.parse(response.headers.get('x-warnings') ?? '')).toEqual([expect.stringContaining('"x"')]);
    expect((await sharp(await response.arrayBuffer()).metadata()).format).toBe(format);
  });

  test('a given request id is repeated, a dangerous one is not', async () => {
    const app = appWith({ state: 'loading' });
    const good = await app.request(post({ prompt: 'x' }, { 'x-request-id': 'abc-123' }));
    expect(good.headers.get('x-request-id')).toBe('abc-123');
    const bad = await app.request(post({ prompt: 'x' }, { 'x-request-id': 'a b{"x"}' }));
    expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['a wrong type', { prompt: 1 }, 400, 'prompt'],
    ['no prompt', {}, 400, 'prompt'],
    ['too many steps', { prompt: 'x', num_steps: 5 }, 400, 'num_steps'],
    ['an unknown field', { prompt: 'x', guidance: 7 }, 400, 'guidance'],
    ['a decoder that the model has not', { prompt: 'x', decoder: 'taesd' }, 400, 'decoder'],
    ['no object', '[]', 400, 'body'],
    ['broken JSON', '{"prompt": ', 400, 'body'],
    ['a long body', JSON.stringify({ prompt: 'x'.repeat(MAX_BODY_BYTES) }), 413, undefined],
  ])('%s is refused', async (_, body, expected, field) => {
    const response = await appWith().request(post(body));
    expect(response.status).toBe(expected);
    const problem = await problemOf(response);
    expect(problem.errors?.[0]?.field).toBe(field);
  });

  test('another content type is 415, another method 405, another path 404', async () => {
    const app = appWith();
    expect((await problemOf(await app.request(post('x', { 'content-type': 'text/plain' })))).status).toBe(
      415,
    );
    expect((await problemOf(await app.request('/invocations'))).status).toBe(405);
    expect((await problemOf(await app.request('/other'))).status).toBe(404);
  });

  test('before the model is there: 503 with Retry-After', async () => {
    const response = await appWith({ state: 'loading' }).request(post({ prompt: 'x' }));
    expect((await problemOf(response)).status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
  });

  test('a full queue is 503, and what was accepted is answered', async () => {
    const app = appWith({ limit: 2 });
    const responses = await Promise.all(Array.from({ length: 8 }, () => app.request(post({ prompt: 'x' }))));
    const statuses = responses.map((response) => response.status).sort();
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses.at(-1)).toBe(503);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
  });

  test('work whose caller has gone is not started', async () => {
    const app = appWith();
    const before = app.request(post({ prompt: 'x' }));
    const caller = new AbortController();
    const gone = app.request(post({ prompt: 'y' }, {}, caller.signal));
    caller.abort();
    expect((await before).status).toBe(200);
    expect((await gone).status).toBe(503);
  });

  test('a deadline that passes is 503', async () => {
    const response = await appWith({ deadlineMilliseconds: 1 }).request(post({ prompt: 'x', num_steps: 4 }));
    expect((await problemOf(response)).detail).toMatch(/no time/);
  });
});
