import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import { toEvent, toResponse } from '../support/gateway.js';
import { LambdaProcess } from '../support/lambda-process.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../support/moto-server.js';
import type { SageMakerFault } from '../support/sagemaker-server.js';
import { scriptedContainer } from '../support/scripted-container.js';
import { MARKER, PROMPT, problemOf } from './contract/setting.js';
import { LambdaStack } from './lambda-stack.js';

const URL_PREFIX = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod';

function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(URL_PREFIX + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

describe.skipIf(motoIsAbsent())('the bundled functions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-'));
  let moto: MotoServer;
  const stacks: LambdaStack[] = [];
  const stackOf = async (name: string, options: object = {}) => {
    const stack = await LambdaStack.start({
      folder,
      moto: moto.url,
      container: scriptedContainer,
      name,
      ...options,
    });
    stacks.push(stack);
    return stack;
  };
  /** From a request to the answer, as from a caller whose key has this id. */
  const ask = async (stack: LambdaStack, request: Request, apiKeyId = 'key-id-1') => {
    const event = await toEvent(request);
    event.requestContext.identity.apiKeyId = apiKeyId;
    return toResponse(await stack.api(event), request.headers.get('accept'));
  };
  const predictionOf = async (stack: LambdaStack, id: string) => {
    const headers = { prefer: 'wait=20' };
    const response = await ask(stack, new Request(`${URL_PREFIX}/predictions/${id}`, { headers }));
    return predictionSchema.parse(await response.json());
  };
  const idOf = async (response: Response) => {
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };

  beforeAll(async () => {
    [moto] = await Promise.all([startMotoServer(), bundleLambda(folder)]);
  });
  afterAll(async () => {
    await Promise.all(stacks.map((stack) => stack.stop()));
    await moto?.stop();
    rmSync(folder, { recursive: true });
  });

  describe('what SageMaker says, and what the caller is told', () => {
    let stack: LambdaStack;
    beforeAll(async () => {
      stack = await stackOf('errors');
    });

    const problem = {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'the decoder',
      request_id: 'x',
    };
    const timedOut = 'Your invocation timed out while waiting for a response from container primary.';
    const throttled = { error: 'ThrottlingException', status: 400, message: null };
    const cases: [string, SageMakerFault, number, RegExp][] = [
      ['the container refuses', { model: 400, said: JSON.stringify(problem) }, 400, /the decoder/],
      ['the container refuses in no words', { model: 422, said: 'no' }, 400, /refused/],
      ['the model fails', { model: 500, said: `could not draw ${PROMPT}` }, 502, /the model failed/],
      ['something else than JSON', { garbage: `<${PROMPT}>` }, 502, /something else than a picture/],
      ['something else than a picture', { garbage: '{}' }, 502, /something else than a picture/],
      [
        'another validation error',
        { error: 'ValidationError', status: 400, message: 'no such endpoint' },
        500,
        /log/,
      ],
      [
        'access denied',
        { error: 'AccessDeniedException', status: 403, message: 'not authorized' },
        500,
        /log/,
      ],
      ['an unheard-of error', { error: 'NovelException', status: 418, message: 'new' }, 500, /log/],
    ];
    test.each(cases)('%s', async (_, fault, status, said) => {
      stack.sagemaker.failNext(fault);
      const response = await ask(stack, post('/predict', { prompt: PROMPT }));
      expect(response.status).toBe(status);
      const { detail } = await problemOf(response);
      expect(detail).toMatch(said);
      expect(detail).not.toContain(MARKER);
    });

    test.each<[string, SageMakerFault]>([
      ['throttled, with no message', throttled],
      ['the container is full', { model: 503, said: '{}' }],
      ['the model is not ready', { error: 'ModelNotReadyException', status: 429, message: 'not ready' }],
      ['an internal failure', { error: 'InternalFailure', status: 500, message: 'oops' }],
      ['unavailable', { error: 'ServiceUnavailable', status: 503, message: null }],
      ['a dependency fails', { error: 'InternalDependencyException', status: 530, message: 'oops' }],
      ["a load balancer's page", { page: 502 }],
      ['a reset connection', { reset: 'early' }],
      ['a reset after the picture was made', { reset: 'late' }],
    ])('%s: asked again within the wait, and drawn', async (_, fault) => {
      stack.sagemaker.failNext(fault);
      const response = await ask(stack, post('/predict', { prompt: PROMPT, seed: 1 }));
      expect(response.status).toBe(200);
      expect(generateAnswerSchema.parse(await response.json()).seed).toBe(1);
    });

    test.each<[string, SageMakerFault]>([
      ['throttled without end', throttled],
      ["the container's own time is up", { model: 500, said: timedOut }],
      ['no answer', 'hang'],
    ])('%s: 202 when the wait is over, and the picture comes', async (_, fault) => {
      stack.sagemaker.failNext(...(fault === throttled ? Array.from({ length: 100 }, () => fault) : [fault]));
      const headers = { prefer: 'wait=1' };
      const response = await ask(stack, post('/predict', { prompt: PROMPT }, headers));
      expect(response.headers.get('preference-applied')).toBe('wait=1');
      const id = await idOf(response);
      stack.sagemaker.succeed();
      const poller = stack.poll();
      expect(await predictionOf(stack, id)).toMatchObject({ status: 'succeeded' });
      await poller.stop();
      expect(stack.sagemaker.updates).toEqual([]);
    });

    test("an unknown error is in the log with the request's id", async () => {
      stack.sagemaker.failNext({ error: 'NovelException', status: 418, message: 'new' });
      await ask(stack, post('/predict', { prompt: PROMPT }, { 'x-request-id': 'to-be-found' }));
      const line = stack
        .output()
        .split('\n')
        .find((text) => text.includes('a request failed') && text.includes('to-be-found'));
      expect(line).toContain('NovelException: new');
    });

    test('a state that cannot be read: 202 all the same, and nothing is lost', async () => {
      stack.sagemaker.failure = { error: 'ThrottlingException', status: 400, message: null };
      const headers = { prefer: 'respond-async' };
      const response = await ask(stack, post('/predict', { prompt: PROMPT }, headers));
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      expect((await ask(stack, new Request(`${URL_PREFIX}/health`))).status).toBe(503);
      stack.sagemaker.failure = undefined;
      const poller = stack.poll();
      expect((await predictionOf(stack, await idOf(response))).status).toBe('succeeded');
      await poller.stop();
    });
  });

  describe('a sleeping endpoint', () => {
    test('fifty requests at once wake it once, and all are answered; asleep again, it is woken again', async () => {
      const stack = await stackOf('sleep', { environments: 3, wakeMs: 300 });
      const send = async (count: number) => {
        stack.sagemaker.sleep();
        const requests = Array.from({ length: count }, (_, seed) =>
          post('/predict', { prompt: PROMPT, seed }),
        );
        const responses = await Promise.all(requests.map((request) => ask(stack, request)));
        return Promise.all(responses.map(idOf));
      };
      const seedsOf = async (ids: string[]) => {
        await expect.poll(() => stack.counts(), { timeout: 30_000 }).toEqual({ waiting: 0, dead: 0 });
        const predictions = await Promise.all(ids.map((id) => predictionOf(stack, id)));
        return predictions.map((prediction) =>
          prediction.status === 'succeeded' ? prediction.seed : undefined,
        );
      };
      const first = await send(50);
      expect(new Set(first).size).toBe(50);
      expect(stack.sagemaker.updates).toEqual([1]);
      stack.poll();
      expect(await seedsOf(first)).toEqual([...first.keys()]);
      const second = await send(5);
      expect(await seedsOf(second)).toEqual([...second.keys()]);
      expect(stack.sagemaker.updates).toEqual([1, 1]);
      // Looks at the sleeper are 20 s apart.
      expect(new Set(stack.hurried.visibilities)).toEqual(new Set([20]));
    });

    test('one that never wakes: the prediction says failed, and why', async () => {
      const stack = await stackOf('never', { maxReceiveCount: 3, wakeMs: 1_000_000 });
      stack.sagemaker.sleep();
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT })));
      stack.poll();
      stack.poll('dead letters');
      const error = { status: 503, detail: expect.stringContaining('given up') };
      expect(await predictionOf(stack, id)).toMatchObject({ status: 'failed', error });
    });
  });

  describe('the worker', () => {
    let stack: LambdaStack;
    beforeAll(async () => {
      stack = await stackOf('worker', { maxReceiveCount: 2 });
      stack.poll();
    });

    test('what is not one of its messages goes to the dead letters, and stops nothing', async () => {
      const poison = [
        '',
        'nonsense',
        '{}',
        '{"kind":"predict","id":"../wake"}',
        `{"kind":"predict","id":"${'a'.repeat(33)}"}`,
      ];
      for (const body of poison.slice(1)) await stack.send(body);
      const headers = { prefer: 'respond-async' };
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT }, headers)));
      expect((await predictionOf(stack, id)).status).toBe('succeeded');
      await expect.poll(() => stack.counts()).toEqual({ waiting: 0, dead: 4 });
      const letters = stack.poll('dead letters');
      await expect.poll(() => stack.counts()).toEqual({ waiting: 0, dead: 0 });
      await letters.stop();
    });

    test('a message that comes again draws nothing anew', async () => {
      const headers = { prefer: 'respond-async' };
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT }, headers)));
      const first = await predictionOf(stack, id);
      const drawn = stack.sagemaker.drawn;
      for (const _ of [1, 2, 3]) await stack.send(JSON.stringify({ kind: 'predict', id }));
      await expect.poll(() => stack.counts()).toEqual({ waiting: 0, dead: 0 });
      expect(stack.sagemaker.drawn).toBe(drawn);
      expect(await predictionOf(stack, id)).toEqual(first);
    });

    test('a model that fails for good: tried three times, then the prediction says so', async () => {
      const fault = { model: 500, said: 'out of memory' };
      stack.sagemaker.failNext(fault, fault, fault);
      const headers = { prefer: 'respond-async' };
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT }, headers)));
      const error = { status: 502, detail: 'the model failed' };
      expect(await predictionOf(stack, id)).toMatchObject({ status: 'failed', error });
      stack.sagemaker.succeed();
    });

    test('a webhook that may not be sent: refused without a try, and the prediction says so', async () => {
      const webhook = 'https://127.0.0.1/hook';
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT, webhook })));
      const told = async () => (await predictionOf(stack, id)).webhook;
      await expect
        .poll(told)
        .toEqual({ status: 'failed', attempts: 1, error: "the webhook's host has no public address" });
    });
  });

  describe('the log and the metrics', () => {
    test('a record that is broken is told without what is in it', async () => {
      const stack = await stackOf('broken');
      const id = 'b'.repeat(32);
      await stack.writeObject(`predictions/${id}/request.json`, `{"prompt": ${MARKER}`);
      const response = await ask(stack, new Request(`${URL_PREFIX}/predictions/${id}`));
      expect(response.status).toBe(500);
      await problemOf(response);
      expect(stack.output()).toContain('is not JSON');
      expect(stack.output()).not.toContain(MARKER);
    });

    test('nothing of any prompt is in any log', () => {
      const output = stacks.map((stack) => stack.output()).join('\n');
      expect(output).toContain('a request failed');
      expect(output).not.toContain(MARKER);
    });

    test('metrics come in the embedded format, by their names', () => {
      const seen = new Map<string, Set<string>>();
      for (const line of stacks
        .map((stack) => stack.output())
        .join('\n')
        .split('\n')) {
        if (!line.includes('"_aws"')) continue;
        const metric = JSON.parse(line);
        for (const { Namespace, Dimensions, Metrics } of metric._aws.CloudWatchMetrics) {
          expect(Namespace).toBe('SdTurbo');
          expect(metric.service).toBe('sd-turbo');
          for (const { Name, Unit } of Metrics) {
            const kinds = Dimensions.flat().includes('outcome') ? metric.outcome : Unit;
            seen.set(Name, (seen.get(Name) ?? new Set()).add(kinds));
          }
        }
      }
      const kinds = Object.fromEntries([...seen].map(([name, set]) => [name, [...set].sort()]));
      expect(kinds).toMatchObject({
        Requests: ['accepted', 'drawn', 'failed', 'refused'],
        Predictions: ['again', 'failed', 'succeeded'],
        Wakes: ['Count'],
        ColdStarts: ['Count'],
        ColdStartSeconds: ['Seconds'],
        QueueAgeSeconds: ['Seconds'],
        WebhookFailures: ['Count'],
        TextEncoderMs: ['Milliseconds'],
        UnetMs: ['Milliseconds'],
        DecoderMs: ['Milliseconds'],
        EncodeMs: ['Milliseconds'],
        EndpointQueueMs: ['Milliseconds'],
      });
    });
  });

  describe("the gateway's events", () => {
    let stack: LambdaStack;
    beforeAll(async () => {
      stack = await stackOf('events');
    });

    test('a body in base64, and a picture that goes back as base64', async () => {
      const event = await toEvent(
        post('/predict', { prompt: `ein Bäumchen ${MARKER}`, seed: 9 }, { accept: 'image/webp' }),
        true,
      );
      const result = await stack.api(event);
      expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: true });
      expect(result.headers?.['content-type']).toBe('image/webp');
      expect(Buffer.from(result.body, 'base64').subarray(8, 12).toString()).toBe('WEBP');
    });

    test.each<[string, Partial<APIGatewayProxyEvent>, number]>([
      ['a GET with a body', { httpMethod: 'GET', path: '/health', body: '{}' }, 200],
      ['TRACE', { httpMethod: 'TRACE' }, 400],
      ['no headers at all', { headers: null as never, multiValueHeaders: null as never }, 415],
      ['a header that no Request can have', { multiValueHeaders: { 'X-Odd': [`a\n\u4e16${MARKER}`] } }, 415],
      ["a header's name that no Request can have", { multiValueHeaders: { 'X Odd': [MARKER] } }, 400],
      ['a path that is none', { path: '//%' }, 404],
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
      authorizer = new LambdaProcess(join(folder, 'authorizer'), {});
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

    test.each([[null], [{}], [{ Authorization: 'Basic abc' }], [{ 'X-Api-Key': 'x'.repeat(129) }]])(
      'no key, no entrance: %o',
      async (headers) => {
        // Exactly this becomes a 401.
        await expect(authorize(headers)).rejects.toThrow(/^Unauthorized$/);
      },
    );

    test('says no key in its log', () => expect(authorizer.output).not.toContain(MARKER));
  });

  test('a function without its settings names the one that is missing', async () => {
    const api = new LambdaProcess(join(folder, 'api'), { ENDPOINT_NAME: 'x', QUEUE_URL: 'x' });
    await api.exited();
    expect(api.output).toContain('environment variable INFERENCE_COMPONENT_NAME is not set');
  });
});
