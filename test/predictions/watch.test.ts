import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors/app-error.js';
import { type Message, messageSchema } from '../../lib/predictions/message-queue.js';
import { failDeadLetter, processMessage } from '../../lib/predictions/process-message.js';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';
import type { WorkerServices } from '../../lib/predictions/services.js';
import { WakeRefused } from '../../lib/predictions/wake/wake-refused.js';
import { PulledServices } from './pulled-services.js';
import { DAY_MS, REQUEST } from './test-services.js';

const HOUR_MS = 3_600_000;
const URL = 'https://example.com/hook';

let services: PulledServices;
let id: string;
beforeEach(async () => {
  services = new PulledServices();
  id = newPredictionId();
  await accept();
});

async function accept(webhook?: string): Promise<void> {
  await services.store.createRequest({
    id,
    caller: 'somebody',
    fingerprint: 'print',
    created_at: new Date(services.clock.now()).toISOString(),
    request_id: 'request-1',
    request: { ...REQUEST, seed: 1 },
    ...(webhook === undefined ? {} : { webhook }),
  });
}

/** What the function beside the workers has: it draws nothing. */
function beside(): WorkerServices {
  const { endpoint: _, delivery: __, ...others } = services;
  return others;
}

const work = (message: Partial<Message> = {}) =>
  processMessage(messageSchema.parse({ kind: 'watch', id, ...message }), beside());
const result = () => services.store.results.get(id);

describe('a watch over a prediction', () => {
  test('that has its result is over', async () => {
    await processMessage({ kind: 'predict', id, failures: 0 }, services);
    services.listens = () => Promise.reject(new Error('nobody asks'));
    expect(await work()).toEqual({ done: true });
    expect(services.sent).toEqual([]);
  });

  test.each([
    ['is not there any more', () => services.store.requests.clear()],
    ['has expired', () => services.clock.sleep(DAY_MS + 1)],
  ])('that %s is over', async (_, change) => {
    await change();
    expect(await work()).toEqual({ done: true });
    expect([services.sent, services.wakes]).toEqual([[], 0]);
  });

  test('that nobody draws: woken, once, and looked at again in 20 s by the same message', async () => {
    services.listens = async () => false;
    services.state = { state: 'waking' };
    for (let look = 0; look < 5; look++) {
      expect(await work()).toEqual({ done: false, retrySeconds: 20 });
      services.clock.time += 20_000;
    }
    expect([services.wakes, services.sent, result()]).toEqual([1, [], undefined]);
  });

  test('that nobody draws, and cannot be woken now, is looked at again', async () => {
    services.listens = async () => false;
    services.pulled.endpoint.wake = () => Promise.reject(new AppError('UNAVAILABLE', 'no capacity'));
    expect(await work()).toEqual({ done: false, retrySeconds: 20 });
    expect(result()).toBeUndefined();
  });

  test('that nobody ever will draw has failed, in words, and its webhook is told', async () => {
    services.store.requests.clear();
    await accept(URL);
    services.listens = async () => false;
    services.pulled.endpoint.wake = () => Promise.reject(new WakeRefused('the quota L-DB2E81BA is 0'));
    expect(await work()).toEqual({ done: true });
    const error = { status: 503, detail: 'the quota L-DB2E81BA is 0', request_id: 'request-1' };
    expect(result()).toMatchObject({ status: 'failed', error });
    expect(services.sent).toEqual([{ message: { kind: 'webhook', id, attempts: 0 }, delay: 0 }]);
  });

  test('that somebody draws: a new watch, which uses up no receive', async () => {
    expect(await work()).toEqual({ done: true });
    expect(services.sent).toEqual([{ message: { kind: 'watch', id }, delay: 45 }]);
    expect(services.wakes).toBe(0);
  });

  test.each([true, false])(
    'whose message is in the queue no more (somebody listens: %s): it is sent again',
    async (listens) => {
      services.listens = async () => listens;
      services.backlog = 0;
      await work();
      expect(services.sent[0]).toEqual({ message: { kind: 'predict', id, failures: 0 }, delay: 0 });
    },
  );

  test('that was drawn between the looks is not drawn again', async () => {
    const drawn = async () => {
      await processMessage({ kind: 'predict', id, failures: 0 }, services);
      return 0;
    };
    expect(
      await processMessage(
        { kind: 'watch', id },
        { ...beside(), pulled: { ...services.pulled, backlog: drawn } },
      ),
    ).toEqual({ done: true });
    expect(services.sent.map(({ message }) => message.kind)).toEqual(['watch']);
  });

  test('for 6 hours: failed, while that can still be read', async () => {
    services.clock.time += 6 * HOUR_MS - 1;
    await work();
    expect(result()).toBeUndefined();
    services.clock.time += 1;
    expect(await work()).toEqual({ done: true });
    expect(result()).toMatchObject({
      status: 'failed',
      error: { detail: expect.stringContaining('too long') },
    });
    expect(services.sent).toHaveLength(1);
  });

  test('that cannot be looked at now comes again, and nothing is given up', async () => {
    services.listens = () => Promise.reject(new AppError('UNAVAILABLE', 'the store does not answer'));
    await expect(work()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    services.listens = async () => true;
    await expect(
      processMessage(
        { kind: 'watch', id },
        { ...beside(), pulled: { ...services.pulled, backlog: () => Promise.reject(new Error('refused')) } },
      ),
    ).rejects.toThrow('refused');
    expect([services.sent, result()]).toEqual([[], undefined]);
  });

  test('that came too often: the prediction has failed', async () => {
    await failDeadLetter({ kind: 'watch', id }, beside());
    expect(result()).toMatchObject({
      status: 'failed',
      error: { detail: expect.stringContaining('given up') },
    });
  });
});

describe('a message in the wrong place', () => {
  test('one to draw, where nothing is drawn, goes to those who draw', async () => {
    expect(await work({ kind: 'predict', failures: 2 })).toEqual({ done: true });
    expect(services.sent).toEqual([{ message: { kind: 'predict', id, failures: 2 }, delay: 0 }]);
  });

  test('a watch, of when another backend was here, is drawn', async () => {
    const { pulled, ...pushed } = services;
    await processMessage({ kind: 'watch', id }, pushed);
    expect(services.sent).toEqual([{ message: { kind: 'predict', id, failures: 0 }, delay: 0 }]);
  });

  test('a webhook, at a worker that tells none, goes to who does', async () => {
    services.store.requests.clear();
    await accept(URL);
    const { sendWebhook, ...worker } = services;
    await processMessage({ kind: 'predict', id, failures: 0 }, worker);
    services.sent.length = 0;
    expect(await processMessage({ kind: 'webhook', id, attempts: 3 }, worker)).toEqual({ done: true });
    expect(services.sent).toEqual([{ message: { kind: 'webhook', id, attempts: 3 }, delay: 0 }]);
    expect(services.told).toEqual([]);
  });

  test('where nobody tells webhooks, the prediction says so', async () => {
    services.store.requests.clear();
    await accept(URL);
    services.queue.send = () => Promise.reject(new AppError('UNSUPPORTED', 'there is no queue here'));
    expect(await processMessage({ kind: 'predict', id, failures: 0 }, services)).toEqual({ done: true });
    expect(result()).toMatchObject({ status: 'succeeded' });
    expect(services.store.webhooks.get(id)).toEqual({
      status: 'failed',
      attempts: 0,
      error: 'there is no queue here',
    });
  });
});
