import { afterAll, describe, expect, test } from 'vitest';
import { apiApp } from '../../../functions/api/app.js';
import { openapiDocument } from '../../../functions/api/openapi/openapi-document.js';
import { ProblemError } from '../../../functions/shared/problem-response.js';
import { memoryServices } from '../../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../../support/predictions/scripted-endpoint.js';

const APP = 'https://app.example.com';
const OTHER = 'http://localhost:5173';
const STRANGER = 'https://stranger.example.com';
const SERVICE = 'http://service.test';

const telemetry = new RecordingTelemetry();
const { services, queue } = memoryServices({ endpoint: new ScriptedEndpoint(), telemetry });
afterAll(() => queue.stop());

function serviceFor(corsOrigins?: readonly string[]) {
  const app = apiApp({
    services,
    telemetry,
    caller: ({ headers }) => {
      if (headers.get('x-api-key') !== 'k') throw new ProblemError(401, 'this key is not known');
      return 'me';
    },
    baseUrl: () => SERVICE,
    ...(corsOrigins && { corsOrigins }),
  });
  const send = (path: string, origin: string, init: RequestInit = {}) =>
    app.fetch(new Request(SERVICE + path, { ...init, headers: { origin, ...init.headers } }));
  const preflight = (path: string, origin: string, method = 'POST', names = 'content-type,x-api-key') =>
    send(path, origin, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': method, 'access-control-request-headers': names },
    });
  const predict = (origin: string, body: object, headers = {}) =>
    send('/predict', origin, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return { send, preflight, predict };
}

const listed = ({ headers }: Response, name: string) =>
  (headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/);

describe('of two origins that are named', () => {
  const { send, preflight, predict } = serviceFor([APP, OTHER]);

  test.each([APP, OTHER])('%s may ask, without a key in its preflight', async (origin) => {
    const response = await preflight('/predict', origin);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(listed(response, 'access-control-allow-methods')).toEqual(
      expect.arrayContaining(['get', 'post', 'delete']),
    );
    expect(listed(response, 'access-control-allow-headers')).toEqual(['content-type', 'x-api-key']);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(listed(response, 'vary')).toEqual(expect.arrayContaining(['origin']));
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(60);
  });

  test("whatever header a program adds may be sent, as OpenAI's own package adds many", async () => {
    const names = 'authorization,x-stainless-lang,x-stainless-os,idempotency-key,prefer';
    const response = await preflight('/v1/images/generations', APP, 'POST', names);
    expect(listed(response, 'access-control-allow-headers')).toEqual(names.split(','));
  });

  test.each([
    ['a picture', () => predict(APP, { prompt: 'a tree' }), 200],
    ['an address', () => predict(APP, { prompt: 'a tree' }, { prefer: 'respond-async' }), 202],
    ['a refusal', () => predict(APP, {}), 400],
    [
      'broken JSON',
      () => send('/predict', APP, { method: 'POST', headers: { 'x-api-key': 'k' }, body: '{' }),
      400,
    ],
    ['a wrong key', () => predict(APP, { prompt: 'a tree' }, { 'x-api-key': 'x' }), 401],
    ['no such path', () => send('/other', APP), 404],
    ['a wrong method', () => send('/predict', APP), 405],
    ['the health', () => send('/health', APP), 200],
    ['the document', () => send('/openapi.json', APP), 200],
  ])('%s may be read, and its head', async (_, ask, status) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(APP);
    expect(listed(response, 'vary')).toContain('origin');
    const readable = listed(response, 'access-control-expose-headers');
    const safe = ['cache-control', 'content-type', 'content-length', 'vary'];
    for (const name of response.headers.keys())
      if (!name.startsWith('access-control-') && !safe.includes(name)) expect(readable).toContain(name);
  });

  test('every header that the document tells of can be read', async () => {
    const readable = listed(await send('/health', APP), 'access-control-expose-headers');
    const operations = Object.values(openapiDocument(SERVICE).paths).flatMap((methods) =>
      Object.values(methods),
    );
    const names = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ headers }) => Object.keys(headers)),
    );
    expect(names).toContain('Retry-After');
    expect(names.filter((name) => !readable.includes(name.toLowerCase()))).toEqual([]);
  });

  test('another origin may not, and its answers are not kept for the others', async () => {
    for (const response of [
      await preflight('/predict', STRANGER),
      await predict(STRANGER, { prompt: 'a tree' }),
    ]) {
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(listed(response, 'vary')).toContain('origin');
    }
  });

  test('what an answer depends on besides is said as ever', async () => {
    const response = await predict(APP, { prompt: 'a tree' });
    expect(listed(response, 'vary').sort()).toEqual([
      'accept',
      'authorization',
      'origin',
      'prefer',
      'x-api-key',
    ]);
  });

  test('OPTIONS that is no preflight is a method that no path has', async () => {
    const response = await send('/predict', APP, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('a preflight leaves its line in the log', async () => {
    const before = telemetry.lines.length;
    const response = await preflight('/predict', APP);
    expect(response.headers.get('x-request-id')).toBeTruthy();
    expect(telemetry.lines.slice(before).join()).toContain('OPTIONS');
  });
});

test('*: every origin, and nothing depends on which', async () => {
  const { preflight, predict } = serviceFor(['*']);
  for (const response of [
    await preflight('/predict', STRANGER),
    await predict(STRANGER, { prompt: 'a tree' }),
  ]) {
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(listed(response, 'vary')).not.toContain('origin');
  }
});

test.each([undefined, []])('none by default (%j): no answer says anything of origins', async (origins) => {
  const { preflight, predict } = serviceFor(origins);
  expect((await preflight('/predict', APP)).status).toBe(405);
  const names = [...(await predict(APP, { prompt: 'a tree' })).headers.keys()];
  expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([]);
});
