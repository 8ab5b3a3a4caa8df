import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { GenerateProgress } from '../../lib/client/client.js';
import { ClientError } from '../../lib/client/client-error.js';
import { createClient } from '../../lib/client/create-client.js';
import { connector } from './connect.js';
import type { ScriptedAnswer } from './scripted-service.js';
import {
  ANSWER,
  accepted,
  answered,
  failed,
  ID,
  IMAGES,
  PICTURE,
  PROBLEM,
  queued,
  succeeded,
} from './scripts.js';

const connect = connector();

test('a warm service answers at once: bytes, seed and timings', async () => {
  const { client, seen } = await connect(answered);
  const drawn = await client.generate({ prompt: 'a tree', steps: 1 });
  expect(drawn).toEqual({ ...IMAGES, timings: { unet: 12.5, total: 20 }, requestId: 'abc' });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    method: 'POST',
    path: '/prod/predict',
    body: { prompt: 'a tree', num_steps: 1 },
  });
  expect(seen[0]?.headers['x-api-key']).toBe('k');
});

test('several pictures come in their order', async () => {
  const second = Buffer.from([1, 2, 3]).toString('base64');
  const { client } = await connect({ body: { ...ANSWER, results: [ANSWER.result, second] } });
  const { images } = await client.generate({ prompt: 'x', numImages: 2 });
  expect(images).toEqual([PICTURE, Uint8Array.from([1, 2, 3])]);
});

test('a cold service is followed by long polls, with its state as progress', async () => {
  const { client, seen } = await connect(accepted, queued, queued, succeeded);
  const told: GenerateProgress[] = [];
  const drawn = await client.generate({ prompt: 'x' }, { onProgress: (progress) => told.push(progress) });
  expect(drawn.images).toEqual([PICTURE]);
  expect(seen.slice(1).map(({ path }) => path)).toEqual(Array(3).fill(`/prod/predictions/${ID}`));
  expect(seen[1]?.headers['prefer']).toMatch(/^wait=\d+$/);
  expect(told.map(({ phase }) => phase)).toEqual(['sending', 'waking', 'waking', 'waking']);
  expect(told[1]).toMatchObject({ id: ID, health: { state: 'waking', wakingFor: 3, estimate: 9 } });
});

test('what passes is asked again with the same key, no sooner than Retry-After says', async () => {
  const busy = { status: 503, body: { detail: 'busy' }, headers: { 'retry-after': '1' } };
  const { client, seen } = await connect(busy, { instead: 'reset' }, answered);
  const told: GenerateProgress[] = [];
  const started = performance.now();
  await client.generate({ prompt: 'x' }, { onProgress: (progress) => told.push(progress) });
  expect(performance.now() - started).toBeGreaterThanOrEqual(1000);
  expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(seen).toHaveLength(3);
  expect(told.map(({ phase }) => phase)).toEqual(['sending', 'retrying', 'retrying']);
});

test('each call has a key of its own, unless it brings one', async () => {
  const { client, seen } = await connect(answered, answered, answered);
  await client.generate({ prompt: 'x' });
  await client.generate({ prompt: 'x' });
  await client.generate({ prompt: 'x' }, { idempotencyKey: 'mine' });
  const keys = seen.map(({ headers }) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe('mine');
});

describe('what does not pass ends the call', () => {
  const wrong = 'must be an integer from 1 to 4';
  const refused = {
    ...PROBLEM,
    status: 400,
    detail: `num_steps: ${wrong}`,
    errors: [{ field: 'num_steps', message: wrong }],
  };
  test.each([
    [
      'a refused request',
      [{ status: 400, body: refused }],
      { status: 400, message: `steps: ${wrong}`, problem: { errors: [{ field: 'steps', message: wrong }] } },
    ],
    ['a wrong key', [{ status: 403, body: { message: 'Forbidden' } }], { status: 403, message: 'HTTP 403' }],
    [
      'a failed prediction',
      [accepted, failed],
      { status: 502, message: PROBLEM.detail, problem: { requestId: 'r', status: 502 } },
    ],
    [
      'a failure that the service keeps',
      [{ status: 502, body: PROBLEM, headers: { 'idempotency-replayed': 'true' } }],
      { status: 502, message: PROBLEM.detail },
    ],
    [
      'a page that is no JSON',
      [{ status: 404, body: '<html>' }],
      { status: 404, message: 'the answer (HTTP 404) is not JSON' },
    ],
  ])('%s', async (_, answers, expected) => {
    const { client, seen } = await connect(...answers);
    const error = await client.generate({ prompt: 'x' }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ retryable: false, ...expected });
    expect(seen).toHaveLength(answers.length);
  });
});

test('a signal ends the call with its reason: while sending, while polling and in a pause', async () => {
  for (const script of [
    [{ instead: 'silence' }],
    [accepted, { instead: 'silence' }],
    [{ status: 503, body: {}, headers: { 'retry-after': '60' } }],
  ]) {
    const { client, seen, close } = await connect(...(script as ScriptedAnswer[]));
    const stop = new AbortController();
    const call = client.generate({ prompt: 'x' }, { signal: stop.signal });
    const reason = new Error('enough');
    while (seen.length < script.length) await new Promise((resolve) => setTimeout(resolve, 10));
    setTimeout(() => stop.abort(reason), 50);
    await expect(call).rejects.toBe(reason);
    await close();
  }
});

test('patience ends', async () => {
  const { client } = await connect({ instead: 'silence' });
  const error = await client.generate({ prompt: 'x' }, { timeoutMs: 200 }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ClientError);
  expect(error.message).toContain('0.2 s');
});

/** An address of this machine where nobody listens any more. */
async function leftAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}`;
}

const refusedAt = (url: string) => `cannot reach ${url} (ECONNREFUSED): nobody listens there`;

test('an unreachable service is named, without its key', async () => {
  const url = await leftAddress();
  const error = await createClient({ url, apiKey: 'secret' })
    .health()
    .catch((thrown) => thrown);
  expect(error).toMatchObject({ retryable: true, message: refusedAt(url) });
  expect(`${error.message} ${error.cause}`).not.toContain('secret');
});

test('patience says what it waits for, at each try and at the end', async () => {
  const url = await leftAddress();
  const reasons = new Set<string | undefined>();
  const onProgress = ({ phase, reason }: GenerateProgress) =>
    void (phase === 'retrying' && reasons.add(reason));
  const error = await createClient({ url, apiKey: 'k' })
    .generate({ prompt: 'x' }, { timeoutMs: 300, onProgress })
    .catch((thrown) => thrown);
  expect([...reasons]).toEqual([refusedAt(url)]);
  expect(error.message).toBe(`no picture came within 0.3 s: ${refusedAt(url)}`);
});

test.each(['127.0.0.1', 'localhost'])(
  'nobody listens at %s: five tries are enough',
  async (host) => {
    const { port } = new URL(await leftAddress());
    const tries: string[] = [];
    const onProgress = ({ phase }: GenerateProgress) => void (phase === 'retrying' && tries.push(phase));
    const url = `http://${host}:${port}`;
    // With the patience of 15 minutes.
    const error = await createClient({ url, apiKey: 'k' })
      .generate({ prompt: 'x' }, { onProgress })
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'ClientError', retryable: true, message: refusedAt(url) });
    expect(tries).toHaveLength(4);
  },
  60_000,
);

test('a service that is started meanwhile is found', async () => {
  const url = await leftAddress();
  let server: Server | undefined;
  const onProgress = ({ phase }: GenerateProgress) => {
    if (phase !== 'retrying' || server) return;
    server = createHttpServer((_, response) => response.end(JSON.stringify(ANSWER)));
    server.listen(Number(new URL(url).port), '127.0.0.1');
  };
  const { images } = await createClient({ url, apiKey: 'k' }).generate({ prompt: 'x' }, { onProgress });
  server?.close();
  expect(images).toEqual([PICTURE]);
});

test('elsewhere patience is as long as the caller wants', async () => {
  const url = 'http://service.test';
  const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
  let tries = 0;
  const send = async () => {
    tries++;
    throw refused;
  };
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const error = await createClient({ url, apiKey: 'k', fetch: send })
    .generate({ prompt: 'x' }, { timeoutMs: 200 })
    .catch((thrown) => thrown);
  vi.restoreAllMocks();
  expect(tries).toBeGreaterThan(5);
  expect(error.message).toBe(`no picture came within 0.2 s: cannot reach ${url} (ECONNREFUSED)`);
});
