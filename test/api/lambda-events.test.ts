import { join } from 'node:path';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LambdaProcess } from '../support/processes/lambda-process.js';
import { toEvent, toResponse } from '../support/servers/gateway.js';
import { motoIsAbsent } from '../support/servers/moto-server.js';
import { MARKER, PROMPT, problemOf } from './contract/setting.js';
import { lambdaFixture, post } from './lambda-fixture.js';
import type { LambdaStack } from './lambda-stack.js';

describe.skipIf(motoIsAbsent())('what the bundled functions are called with', () => {
  const fixture = lambdaFixture();

  describe("the gateway's events", () => {
    let stack: LambdaStack;
    beforeAll(async () => {
      stack = await fixture.start('events');
    });

    test('a body in base64, and a picture that goes back as base64', async () => {
      const event = await toEvent(
        post('/predict', { prompt: `ein Bäumchen ${MARKER}`, seed: 9 }, { accept: 'image/webp' }),
      );
      expect(event.isBase64Encoded).toBe(true);
      const result = await stack.api(event);
      expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: true });
      expect(result.headers?.['content-type']).toBe('image/webp');
      expect(Buffer.from(result.body, 'base64').subarray(8, 12).toString()).toBe('WEBP');
    });

    test.each<[string, Partial<APIGatewayProxyEvent>, number]>([
      ['a GET with a body', { httpMethod: 'GET', path: '/health', body: '{}' }, 200],
      ['TRACE', { httpMethod: 'TRACE' }, 400],
      ['no headers at all', { headers: null as never, multiValueHeaders: null as never }, 200],
      ['a header that no Request can have', { multiValueHeaders: { 'X-Odd': [`a\n\u4e16${MARKER}`] } }, 200],
      ["a header's name that no Request can have", { multiValueHeaders: { 'X Odd': [MARKER] } }, 400],
      ['a path that is none', { path: '//%' }, 404],
      ['a query', { multiValueQueryStringParameters: { wait: ['20'], 'a&b': ['ä', ''] } }, 200],
      ['a wait that is none', { multiValueQueryStringParameters: { wait: ['1&wait=2'] } }, 400],
    ])('%s is answered as everything else', async (_, change, status) => {
      const event = { ...(await toEvent(post('/predict', { prompt: PROMPT }))), ...change };
      const response = toResponse(await stack.api(event), null);
      expect(response.status).toBe(status);
      if (status >= 400) await problemOf(response);
      expect(response.headers.get('x-request-id')).toBeTruthy();
      expect(stack.output()).not.toContain(MARKER);
    });
  });

  describe('the authorizer', () => {
    let authorizer: LambdaProcess;
    beforeAll(() => {
      authorizer = new LambdaProcess(join(fixture.folder, 'authorizer'), {});
    });
    afterAll(() => authorizer.stop());
    const methodArn = 'arn:aws:execute-api:us-east-1:123456789012:abc123/prod/POST/predict';
    const authorize = (headers: Record<string, string> | null) =>
      authorizer.invoke({ type: 'REQUEST', methodArn, headers });

    test.each([
      [{ 'x-api-key': MARKER }],
      [{ 'X-API-Key': MARKER }],
      [{ Authorization: `Api-Key ${MARKER}` }],
      [{ authorization: `bearer ${MARKER}` }],
    ])('hands the key on: %o', async (headers) => {
      expect(await authorize(headers)).toMatchObject({
        usageIdentifierKey: MARKER,
        policyDocument: {
          Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }],
        },
      });
    });

    test.each([
      [{ Authorization: `Basic ${MARKER}` }, /the scheme Basic, which is not known here/],
      [{ Authorization: MARKER }, /no scheme that is known here/],
      [{ authorization: 'Bearer ' }, /must have an API key after its scheme/],
    ])('an Authorization without a key is denied, in words: %o', async (headers, said) => {
      const { policyDocument, context, ...rest } = (await authorize(headers)) as Record<string, never>;
      expect(policyDocument).toMatchObject({ Statement: [{ Effect: 'Deny', Resource: methodArn }] });
      expect(context).toEqual({ reason: expect.stringMatching(said) });
      // As it stands in a JSON text.
      expect(JSON.stringify(context)).not.toMatch(/\\/);
      expect(JSON.stringify([context, rest])).not.toContain(MARKER);
    });

    test.each([[null], [{}], [{ 'X-Api-Key': 'x'.repeat(129) }]])(
      'no key, no entrance: %o',
      async (headers) => {
        // Exactly this becomes a 401.
        await expect(authorize(headers)).rejects.toThrow(/^Unauthorized$/);
      },
    );

    test('says no key in its log', () => expect(authorizer.output).not.toContain(MARKER));
  });

  test('pages of the origins that the deploy names are let in, before they send a key', async () => {
    const api = new LambdaProcess(join(fixture.folder, 'api'), {
      ENDPOINT_NAME: 'x',
      INFERENCE_COMPONENT_NAME: 'x',
      RESULTS_BUCKET: 'x',
      QUEUE_URL: 'https://queue.test/x',
      AWS_REGION: 'us-east-1',
      CORS_ORIGINS: 'https://a.test,https://b.test',
    });
    const ask = async (method: string, headers: Record<string, string>) => {
      const url = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod/predict';
      const event = await toEvent(new Request(url, { method, headers }));
      return toResponse(await api.invoke(event), null);
    };
    const preflight = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-api-key',
    };
    const allowed = await ask('OPTIONS', { origin: 'https://b.test', ...preflight });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://b.test');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('x-api-key');
    const refused = await ask('GET', { origin: 'https://a.test' });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      405,
      'https://a.test',
    ]);
    const strange = await ask('OPTIONS', { origin: 'https://c.test', ...preflight });
    expect(strange.headers.get('access-control-allow-origin')).toBeNull();
    api.stop();
  });

  test('a function without its settings names the one that is missing', async () => {
    const api = new LambdaProcess(join(fixture.folder, 'api'), {
      ENDPOINT_NAME: 'x',
      RESULTS_BUCKET: 'x',
      QUEUE_URL: 'https://queue.test/x',
    });
    await api.exited();
    expect(api.output).toContain('environment variable INFERENCE_COMPONENT_NAME is not set');
  });
});
