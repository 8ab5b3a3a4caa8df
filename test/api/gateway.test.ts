import type { APIGatewayProxyEvent } from 'aws-lambda';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { gatewayBaseUrl, ownPath } from '../../functions/api/gateway-event.js';
import { gatewayRequest, gatewayResult } from '../../functions/api/gateway-request.js';
import { MAX_BODY_WITH_IMAGE_BYTES } from '../../functions/shared/read-json-body.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { gateway, MAX_PAYLOAD, toEvent } from '../support/servers/gateway.js';

/** What the gateway takes of a request's headers. Source: its quotas, "Total combined size of all header values". Bytes. */
const MAX_HEADERS = 10_240;
const SERVICE = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod';

const KEY = 'a-good-key';

const telemetry = new RecordingTelemetry();
const { services, queue } = memoryServices({ endpoint: new ScriptedEndpoint(), telemetry });
const app = apiApp({ services, telemetry, caller: () => 'me', baseUrl: () => SERVICE });
afterAll(() => queue.stop());

/** The service behind a gateway with such binary media types, as `functions/api/lambda.ts` ties them together. */
const behind = (binaryMediaTypes?: readonly string[]) =>
  gateway({
    api: async (event: APIGatewayProxyEvent) => gatewayResult(await app.fetch(gatewayRequest(event))),
    authorizer: async () => ({ usageIdentifierKey: KEY }) as never,
    keys: new Map([[KEY, 'key-id']]),
    ...(binaryMediaTypes && { binaryMediaTypes }),
  });

const predict = (
  accept: string,
  body: string | Uint8Array<ArrayBuffer> = JSON.stringify({ prompt: 'a tree in Köln' }),
) =>
  new Request(`${SERVICE}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY, accept },
    body,
  });

describe('what the gateway makes of a picture', () => {
  const accept = 'text/html, image/avif, image/webp, */*;q=0.1';

  test('it goes out as its bytes, whatever `Accept` begins with', async () => {
    const response = await behind()(predict(accept));
    expect(response.headers.get('content-type')).toBe('image/webp');
    const { format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(format).toBe('webp');
  });

  test('it would go out as text if not every type were binary', async () => {
    const types = ['image/png', 'image/jpeg', 'image/webp', 'image/*'];
    const text = await (await behind(types)(predict(accept))).text();
    expect(Buffer.from(text, 'base64').subarray(8, 12).toString()).toBe('WEBP');
    const first = await behind(types)(predict('image/webp, text/html'));
    expect((await sharp(Buffer.from(await first.arrayBuffer())).metadata()).format).toBe('webp');
  });

  test.each([
    ['JSON', predict('*/*'), 200, 'application/json'],
    ['a refusal', predict('image/png', '{"prompt":""}'), 400, 'application/problem+json'],
    ['what is no JSON', predict('image/png', Buffer.from([0xff, 0x00])), 400, 'application/problem+json'],
    ['no body', predict('image/png', ''), 400, 'application/problem+json'],
    [
      'a page',
      new Request(`${SERVICE}/docs`, { headers: { accept: 'image/png' } }),
      200,
      'text/html; charset=utf-8',
    ],
  ])('%s goes out as it is', async (_, request, status, type) => {
    const response = await behind()(request);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    expect(await response.text()).toMatch(type.endsWith('json') ? /^\{.*\}$/s : /<\/html>/);
  });
});

test('the longest body that the service reads fits into an event, with all the headers that the gateway takes', async () => {
  const request = predict('*/*', Buffer.alloc(MAX_BODY_WITH_IMAGE_BYTES, 'A'));
  request.headers.set('x-padding', 'x'.repeat(MAX_HEADERS));
  const event = await toEvent(request);
  expect(event.isBase64Encoded).toBe(true);
  const bytes = Buffer.byteLength(JSON.stringify(event));
  expect(bytes).toBeGreaterThan((MAX_BODY_WITH_IMAGE_BYTES * 4) / 3);
  expect(bytes).toBeLessThan(MAX_PAYLOAD);
});

describe('through a custom domain', () => {
  const cases: [path: string, resource: string, whole: string, own: string, base: string][] = [
    ['/predict', '/predict', '/prod/predict', '/predict', '/prod'],
    ['/', '/', '/prod/', '/', '/prod'],
    ['/predict', '/predict', '/predict', '/predict', ''],
    ['/v1/predict', '/predict', '/v1/predict', '/predict', '/v1'],
    ['/v1/predictions/abc', '/predictions/{id}', '/v1/predictions/abc', '/predictions/abc', '/v1'],
    [
      '/v1/v1/images/generations',
      '/v1/images/generations',
      '/v1/v1/images/generations',
      '/v1/images/generations',
      '/v1',
    ],
    ['/v1', '/', '/v1', '/', '/v1'],
    ['/v1/', '/', '/v1/', '/', '/v1'],
    ['/predict/', '/predict', '/prod/predict/', '/predict/', '/prod'],
  ];
  test.each(cases)('%s of %s, asked as %s: %s below %s', async (path, resource, whole, own, base) => {
    const event = await toEvent(new Request(`${SERVICE}/predict`));
    const requestContext = { ...event.requestContext, domainName: 'pictures.example.com', path: whole };
    const asked = { ...event, path, resource, requestContext };
    expect(ownPath(asked)).toBe(own);
    expect(new URL(gatewayRequest(asked).url).pathname).toBe(own);
    expect(gatewayBaseUrl({ event: asked })).toBe(`https://pictures.example.com${base}`);
  });
});
