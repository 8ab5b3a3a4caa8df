import { Validator } from '@seriousme/openapi-schema-validator';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { openapiDocument } from '../../functions/api/openapi/openapi-document.js';
import type { MediaType, Operation } from '../../functions/api/openapi/openapi-types.js';
import { expectDocumented, schemaErrors } from '../support/expect-documented.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';

/** For people, and the document itself. */
const PAGES = new Set(['/', '/docs', '/openapi.json', '/favicon.ico']);

const document = openapiDocument('https://service.test/prod');
const telemetry = new RecordingTelemetry();
const { services } = memoryServices({ endpoint: new ScriptedEndpoint(), telemetry });
const app = apiApp({ services, telemetry, caller: () => 'me', baseUrl: () => 'https://service.test/prod' });

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
);

function mediaTypes({ requestBody, responses }: Operation): [string, MediaType][] {
  const answers = Object.entries(responses).flatMap(([status, { content }]) =>
    Object.entries(content).map(([type, media]): [string, MediaType] => [`${status} ${type}`, media]),
  );
  return [...Object.entries(requestBody?.content ?? {}), ...answers];
}

test('GET /openapi.json is the document, without a key', async () => {
  const response = await app.request('/openapi.json');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, path]) => path as string,
  );
  const lost = references.filter(
    (path) =>
      path.split('/').reduce((at: unknown, key) => (at as Record<string, unknown>)?.[key], document) ===
      undefined,
  );
  expect(references.length).toBeGreaterThan(50);
  expect(lost).toEqual([]);
});

test('the routes and the paths are the same', () => {
  const routes = app.routes
    .filter(({ method, path }) => method !== 'ALL' && !PAGES.has(path))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  expect(operations.map(([name]) => name).sort()).toEqual(routes.sort());
});

test.each(operations)('%s: what is said of it is complete and true to its schemas', (_, operation) => {
  for (const [name, { schema, examples = {} }] of mediaTypes(operation)) {
    if (!name.includes('image/')) expect(Object.keys(examples), name).not.toEqual([]);
    for (const { value } of Object.values(examples)) expect(schemaErrors(schema, value), name).toEqual([]);
  }
  for (const { name, schema, example } of operation.parameters ?? []) {
    expect(schemaErrors(schema, example), name).toEqual([]);
  }
  expect(operation.description).not.toBe('');
});

test('the pictures of the examples are pictures', async () => {
  const pictures = new Set(
    [...JSON.stringify(document).matchAll(/"(iVBOR[^"]+)"/g)].map(([, picture]) => picture),
  );
  for (const picture of pictures) {
    const { width, format } = await sharp(Buffer.from(picture as string, 'base64'), {
      failOn: 'warning',
    }).metadata();
    expect([width, format]).toEqual([1, 'png']);
    await sharp(Buffer.from(picture as string, 'base64'), { failOn: 'warning' })
      .raw()
      .toBuffer();
  }
  expect(pictures.size).toBe(1);
});

describe('the check of answers', () => {
  const health = (body: unknown, init?: ResponseInit) =>
    expectDocumented('GET', '/health', Response.json(body, init));

  test('takes what is documented', () => health({ state: 'ready' }));

  test.each([
    ['a status', () => health({ state: 'ready' }, { status: 418 })],
    ['a body', () => health({ state: 'dreaming' })],
    ['another field', () => health({ state: 'ready', mood: 'good' })],
    ['a header', () => health({ state: 'ready' }, { headers: { 'x-mood': 'good' } })],
    ['a content type', () => expectDocumented('GET', '/health', new Response('ready'))],
    ['a missing header', () => expectDocumented('POST', '/predict', Response.json({}, { status: 202 }))],
  ])('sees %s that is not', async (_, check) => {
    await expect(check()).rejects.toThrow();
  });
});
