import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors/app-error.js';
import type { EndpointFault } from '../../lib/predictions/endpoint.js';
import { type Message, messageSchema } from '../../lib/predictions/message-queue.js';
import { failDeadLetter, processMessage } from '../../lib/predictions/process-message.js';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';
import { UnreadableRecord } from '../../lib/predictions/records/unreadable-record.js';
import { pictureOf } from '../support/simulation/endpoint.js';
import { DAY_MS, REQUEST, TestServices } from './test-services.js';

const SEEDED = { ...REQUEST, seed: 1 };
const HOUR_MS = 3_600_000;
const URL = 'https://example.com/hook';

let services: TestServices;
let id: string;
beforeEach(() => {
  services = new TestServices();
  id = newPredictionId();
});

async function accept(webhook?: string): Promise<void> {
  await services.store.createRequest({
    id,
    caller: 'somebody',
    fingerprint: 'print',
    created_at: new Date(services.clock.now()).toISOString(),
    request_id: 'request-1',
    request: SEEDED,
    ...(webhook === undefined ? {} : { webhook }),
  });
}

const work = (message: Partial<Message> = {}) =>
  processMessage(messageSchema.parse({ kind: 'predict', id, ...message }), services);
const result = () => services.store.results.get(id);
const always = (fault: EndpointFault) => {
  services.script = () => fault;
};

describe('a request', () => {
  beforeEach(() => accept());

  test('is drawn, stored and done', async () => {
    expect(await work()).toEqual({ done: true });
    expect(result()).toMatchObject({ status: 'succeeded', answer: pictureOf(SEEDED) });
    expect(services.events).toContainEqual({ kind: 'ended', status: 'succeeded' });
    expect(services.sent).toEqual([]);
  });

  test('that was drawn before is not drawn again', async () => {
    await work();
    expect(await work()).toEqual({ done: true });
    expect(services.invocations).toBe(1);
  });

  test('that two workers draw at once ends once', async () => {
    await Promise.all([work(), work()]);
    expect(services.events.filter(({ kind }) => kind === 'ended')).toHaveLength(1);
  });

  test('whose picture cannot be stored comes again, and is the same', async () => {
    const { createResult } = services.store;
    services.store.createResult = () => Promise.reject(new Error('refused'));
    await expect(work()).rejects.toThrow('refused');
    services.store.createResult = createResult;
    expect(await work()).toEqual({ done: true });
    expect(result()).toMatchObject({ answer: pictureOf(SEEDED) });
  });

  test('finds the endpoint cold: it is woken, and looked at again in 20 s', async () => {
    always('cold');
    expect(await work()).toEqual({ done: false, retrySeconds: 20 });
    expect([services.wakes, services.sent, result()]).toEqual([1, [], undefined]);
  });

  test.each(['busy', 'throttled'] as const)(
    'finds it %s: a new message, so that no receive is used up',
    async (fault) => {
      always(fault);
      expect(await work({ failures: 1 })).toEqual({ done: true });
      expect(services.sent).toEqual([{ message: { kind: 'predict', id, failures: 1 }, delay: 5 }]);
      expect(result()).toBeUndefined();
    },
  );

  test('waits the longer the older it is, up to a minute', async () => {
    always('busy');
    const delays: (number | undefined)[] = [];
    for (const age of [0, 60_000, 240_000, HOUR_MS, 4 * HOUR_MS]) {
      services.clock.time += age;
      await work();
      delays.push(services.sent.at(-1)?.delay);
    }
    // Half of the ceiling: this clock's chance is 0.5.
    expect(delays).toEqual([5, 5, 19, 30, 30]);
  });

  test.each([
    ['6 hours', 6 * HOUR_MS],
    ['half of its retention', HOUR_MS, 2 * HOUR_MS],
  ])(
    'that found it busy for %s has failed, while that can still be read',
    async (_, age, retentionMs = DAY_MS) => {
      always('busy');
      services.clock.time += age - 1;
      const message = { kind: 'predict', id, failures: 0 } as const;
      await processMessage(message, { ...services, retentionMs });
      expect(result()).toBeUndefined();
      services.clock.time += 1;
      await processMessage(message, { ...services, retentionMs });
      expect(result()).toMatchObject({
        status: 'failed',
        error: { status: 503, detail: 'the endpoint is busy' },
      });
    },
  );

  test.each([
    ['model', 502],
    ['timeout', 502],
    ['unknown', 500],
  ] as const)('fails after three failures of the kind %s', async (fault, status) => {
    always(fault);
    expect(await work()).toEqual({ done: true });
    expect(services.sent.at(-1)?.message).toEqual({ kind: 'predict', id, failures: 1 });
    expect(await work({ failures: 1 })).toEqual({ done: true });
    expect(services.sent.at(-1)?.message).toEqual({ kind: 'predict', id, failures: 2 });
    expect(result()).toBeUndefined();
    expect(await work({ failures: 2 })).toEqual({ done: true });
    expect(services.sent).toHaveLength(2);
    expect(result()).toMatchObject({ status: 'failed', error: { status, request_id: 'request-1' } });
  });

  test('whose connection is lost ten times has failed: it may be what ends the endpoint', async () => {
    always('lost');
    let message: Message | undefined = { kind: 'predict', id, failures: 0 };
    for (let sent = 0; message; sent++) {
      expect(await processMessage(message, services)).toEqual({ done: true });
      message = services.sent[sent]?.message;
    }
    expect(services.invocations).toBe(10);
    expect(result()).toMatchObject({
      status: 'failed',
      error: { status: 503, detail: 'the endpoint is lost' },
    });
  });

  test('that the endpoint refuses has failed at once', async () => {
    always('refused');
    expect(await work()).toEqual({ done: true });
    expect(result()).toMatchObject({ status: 'failed', error: { status: 400 } });
  });

  test('is left where its new message cannot be sent', async () => {
    always('model');
    services.queue.send = () => Promise.reject(new Error('no queue'));
    await expect(work()).rejects.toThrow('no queue');
    expect(result()).toBeUndefined();
  });

  test('that has expired is not drawn', async () => {
    services.clock.time += DAY_MS + 1;
    expect(await work()).toEqual({ done: true });
    expect(services.invocations).toBe(0);
  });
});

describe('a record that cannot be read', () => {
  const unreadable = (name: string) => async () => {
    throw new UnreadableRecord(id, name, new Error('not JSON'));
  };
  const trouble = () => services.events.filter(({ kind }) => kind === 'trouble');

  test.each([
    ['request', 'readRequest', 'predict'],
    ['request', 'readRequest', 'webhook'],
    ['result', 'readResult', 'predict'],
    ['result', 'readResult', 'webhook'],
  ] as const)(
    '%s.json: no delivery makes it better, and the %s message of it is done',
    async (name, method, kind) => {
      await accept(URL);
      services.store[method] = unreadable(name);
      expect(await work({ kind })).toEqual({ done: true });
      expect(trouble()).toEqual([
        { kind: 'trouble', what: `prediction ${id} is left as it is`, error: expect.any(UnreadableRecord) },
      ]);
      expect([services.invocations, services.told, services.sent]).toEqual([0, [], []]);
    },
  );

  test('webhook.json: it has been told, or has failed, and is not told again', async () => {
    await accept(URL);
    await work();
    services.store.readWebhook = unreadable('webhook');
    expect(await work({ kind: 'webhook' })).toEqual({ done: true });
    expect(services.told).toEqual([]);
  });

  test('of a dead letter: there is nothing that could be recorded', async () => {
    services.store.readRequest = unreadable('request');
    await failDeadLetter({ kind: 'predict', id, failures: 0 }, services);
    expect(trouble()).toHaveLength(1);
  });

  test('now, because the store fails, comes again', async () => {
    services.store.readRequest = async () => {
      throw new AppError('UNAVAILABLE', 'the disk has failed');
    };
    await expect(work()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(failDeadLetter({ kind: 'predict', id, failures: 0 }, services)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});

test('a message about nothing is done', async () => {
  expect(await work()).toEqual({ done: true });
  expect(await work({ kind: 'webhook' })).toEqual({ done: true });
  expect(services.invocations).toBe(0);
});

describe('a webhook', () => {
  beforeEach(() => accept(URL));

  test('is queued when the request has ended, and told what a caller is shown', async () => {
    await work();
    expect(services.sent).toEqual([{ message: { kind: 'webhook', id, attempts: 0 }, delay: 0 }]);
    expect(await work({ kind: 'webhook' })).toEqual({ done: true });
    expect(services.told).toMatchObject([{ url: URL, id, body: { id, status: 'succeeded' } }]);
    expect(services.store.webhooks.get(id)).toEqual({ status: 'delivered', attempts: 1 });
  });

  test('whose message was lost with its worker is queued by the next delivery', async () => {
    const { send } = services.queue;
    services.queue.send = () => Promise.reject(new Error('killed'));
    await expect(work()).rejects.toThrow('killed');
    services.queue.send = send;
    await work();
    expect(services.sent).toHaveLength(1);
    expect(services.invocations).toBe(1);
  });

  test('is told of a failure, too', async () => {
    always('refused');
    await work();
    await work({ kind: 'webhook' });
    expect(services.told[0]?.body).toMatchObject({ status: 'failed', error: { status: 400 } });
  });

  test('is not told before there is something to tell, nor twice', async () => {
    await work({ kind: 'webhook' });
    await work();
    await work({ kind: 'webhook' });
    await work({ kind: 'webhook' });
    expect(services.told).toHaveLength(1);
  });

  test('is tried eight times, with growing pauses that SQS can wait, and then has failed', async () => {
    await work();
    services.webhook = { delivered: false, retryable: true, error: 'nobody there' };
    let message: Message | undefined = { kind: 'webhook', id, attempts: 0 };
    services.sent.length = 0;
    for (let sent = 0; message; sent++) {
      await processMessage(message, services);
      message = services.sent[sent]?.message;
    }
    expect(services.sent.map(({ delay }) => delay)).toEqual([5, 20, 80, 320, 900, 900, 900]);
    expect(services.told).toHaveLength(8);
    const error = 'nobody there';
    expect(services.store.webhooks.get(id)).toEqual({ status: 'failed', attempts: 8, error });
    expect(services.events.at(-1)).toEqual({ kind: 'webhook-failed', id, error });
  });

  test('that may not be tried again has failed at once', async () => {
    await work();
    services.webhook = { delivered: false, retryable: false, error: 'not public' };
    await work({ kind: 'webhook' });
    expect(services.store.webhooks.get(id)).toMatchObject({ status: 'failed', attempts: 1 });
  });
});

describe('a dead letter', () => {
  const bury = (message: Partial<Message> = {}) =>
    failDeadLetter(messageSchema.parse({ kind: 'predict', id, ...message }), services);

  test('makes the prediction failed, with a reason', async () => {
    await accept();
    await bury();
    expect(result()).toMatchObject({
      status: 'failed',
      error: { status: 503, detail: expect.stringMatching(/did not wake/), request_id: 'request-1' },
    });
  });

  test('leaves a result that there is', async () => {
    await accept();
    await work();
    await bury();
    expect(result()).toMatchObject({ status: 'succeeded' });
  });

  test('has its webhook told, also where it came twice', async () => {
    await accept(URL);
    const { send } = services.queue;
    services.queue.send = () => Promise.reject(new Error('killed'));
    await expect(bury()).rejects.toThrow('killed');
    services.queue.send = send;
    await bury();
    expect(services.sent).toEqual([{ message: { kind: 'webhook', id, attempts: 0 }, delay: 0 }]);
  });

  test('of a webhook says so in the prediction', async () => {
    await accept(URL);
    await work();
    await bury({ kind: 'webhook', attempts: 3 });
    expect(services.store.webhooks.get(id)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(result()).toMatchObject({ status: 'succeeded' });
  });

  test('about nothing, or about what has expired, changes nothing', async () => {
    await bury();
    await accept();
    services.clock.time += DAY_MS + 1;
    await bury();
    expect(services.store.results.size).toBe(0);
  });
});
