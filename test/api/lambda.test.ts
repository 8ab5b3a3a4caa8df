import { beforeAll, describe, expect, test } from 'vitest';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { openaiErrorSchema, openaiImageAnswerSchema } from '../../lib/schemas/openai/image-answer.js';
import { motoIsAbsent } from '../support/servers/moto-server.js';
import type { SageMakerFault } from '../support/servers/sagemaker-server.js';
import { MARKER, PROMPT, problemOf } from './contract/setting.js';
import { ask, drained, get, idOf, lambdaFixture, post, predictionOf } from './lambda-fixture.js';
import type { LambdaStack } from './lambda-stack.js';

const SECRET = `whsec_${Buffer.alloc(32, MARKER).toString('base64')}`;

describe.skipIf(motoIsAbsent())('the bundled functions on bad days', () => {
  const fixture = lambdaFixture();

  describe('what SageMaker says, and what the caller is told', () => {
    let stack: LambdaStack;
    beforeAll(async () => {
      stack = await fixture.start('errors');
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

    test('a key that was used before is answered from the store', async () => {
      const send = () => ask(stack, post('/predict', { prompt: PROMPT }, { 'idempotency-key': MARKER }));
      const [first, again] = [await send(), await send()];
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(await again.json()).toEqual(await first.json());
    });

    test('numbers that are none: 502 that says so, and counted', async () => {
      const detail = 'the unet network gave NaN, of which no picture can be made';
      const said = { type: 'about:blank', title: 'Bad Gateway', status: 502, detail, request_id: 'r' };
      stack.sagemaker.failNext({ model: 502, said: JSON.stringify(said) });
      const response = await ask(stack, post('/predict', { prompt: PROMPT }));
      expect([response.status, await response.json()]).toEqual([502, expect.objectContaining({ detail })]);
      expect(stack.output()).toContain('"BadNumbers":1');
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
      expect((await ask(stack, get('/health'))).status).toBe(503);
      stack.sagemaker.failure = undefined;
      const poller = stack.poll();
      expect((await predictionOf(stack, await idOf(response))).status).toBe('succeeded');
      await poller.stop();
    });
  });

  test('pictures above the 6 MB that Lambda hands on are refused with a way out', async () => {
    const stack = await fixture.start('large');
    const body = { prompt: PROMPT, n: 4, size: '1792x1024' };
    const generate = (more: object) => ask(stack, post('/v1/images/generations', { ...body, ...more }));
    const refused = await generate({ response_format: 'b64_json' });
    expect(refused.status).toBe(422);
    const { error } = openaiErrorSchema.parse(await refused.json());
    expect(error.message).toContain('response_format: url');
    const linked = await generate({ response_format: 'url' });
    expect(linked.status).toBe(200);
    const { data } = openaiImageAnswerSchema.parse(await linked.json());
    const sizes = await Promise.all(
      data.map(async ({ url = '' }) => (await (await fetch(url)).arrayBuffer()).byteLength),
    );
    // As base64 they are a third more.
    expect(sizes.reduce((sum, size) => sum + size) * (4 / 3)).toBeGreaterThan(6_000_000);
  });

  describe('a sleeping endpoint', () => {
    test('fifty requests at once wake it once, and all are answered; asleep again, it is woken again', async () => {
      const stack = await fixture.start('sleep', { environments: 3, wakeMs: 300 });
      const send = async (count: number) => {
        stack.sagemaker.sleep();
        const requests = Array.from({ length: count }, (_, seed) =>
          post('/predict', { prompt: PROMPT, seed }),
        );
        const responses = await Promise.all(requests.map((request) => ask(stack, request)));
        return Promise.all(responses.map(idOf));
      };
      const seedsOf = async (ids: string[]) => {
        await drained(stack);
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
      const stack = await fixture.start('never', { maxReceiveCount: 3, wakeMs: 1_000_000 });
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
      stack = await fixture.start('worker', { maxReceiveCount: 2, webhookSecret: SECRET });
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
      await drained(stack, 4);
      const letters = stack.poll('dead letters');
      await drained(stack);
      await letters.stop();
    });

    test('a message that comes again draws nothing anew', async () => {
      const headers = { prefer: 'respond-async' };
      const id = await idOf(await ask(stack, post('/predict', { prompt: PROMPT }, headers)));
      const first = await predictionOf(stack, id);
      const drawn = stack.sagemaker.drawn;
      for (const _ of [1, 2, 3]) await stack.send(JSON.stringify({ kind: 'predict', id }));
      await drained(stack);
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

    // `localhost` passes for a name until it is looked up: the secret has been read by then.
    const webhook = 'https://localhost/hook';
    const outcomeOf = async (at: LambdaStack) => {
      const id = await idOf(await ask(at, post('/predict', { prompt: PROMPT, webhook })));
      await drained(at);
      return (await predictionOf(at, id)).webhook;
    };

    test('a webhook that may not be sent: given up at once, and the prediction says so', async () => {
      const error = "the webhook's host has no public address";
      expect(await outcomeOf(stack)).toEqual({ status: 'failed', attempts: 1, error });
    });

    test('a webhook without a secret: tried again later and later, then given up', async () => {
      const without = await fixture.start('no-secret');
      without.poll();
      const error = 'the webhook could not be signed';
      expect(await outcomeOf(without)).toEqual({ status: 'failed', attempts: 8, error });
      expect(without.hurried.delays.filter((delay) => delay > 0)).toEqual([5, 20, 80, 320, 900, 900, 900]);
    });
  });

  describe('the log and the metrics', () => {
    test('a record that is broken is told without what is in it', async () => {
      const stack = await fixture.start('broken');
      const id = 'b'.repeat(32);
      await stack.writeObject(`predictions/${id}/request.json`, `{"prompt": ${MARKER}`);
      const response = await ask(stack, get(`/predictions/${id}`));
      expect(response.status).toBe(500);
      await problemOf(response);
      expect(stack.output()).toContain('is not JSON');
      expect(stack.output()).not.toContain(MARKER);
    });

    test('nothing of any prompt is in any log', () => {
      const output = fixture.stacks.map((stack) => stack.output()).join('\n');
      expect(output).toContain('a request failed');
      expect(output).not.toContain(MARKER);
      expect(output).not.toContain(SECRET.slice('whsec_'.length));
    });

    test('metrics come in the embedded format, by their names', () => {
      const seen = new Map<string, Set<string>>();
      const lines = fixture.stacks.flatMap((stack) => stack.output().split('\n'));
      for (const line of lines.filter((text) => text.includes('"_aws"'))) {
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
        Requests: ['accepted', 'drawn', 'failed', 'refused', 'replayed'],
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
});
