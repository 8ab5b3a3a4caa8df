import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors/app-error.js';
import type { EndpointFault } from '../../lib/predictions/endpoint.js';
import { type PredictProps, predict } from '../../lib/predictions/predict.js';
import { predictionIdOf, seedOf } from '../../lib/predictions/records/prediction-id.js';
import { pictureOf } from '../support/simulation/endpoint.js';
import { DAY_MS, REQUEST, TestServices } from './test-services.js';

const CALLER = 'somebody';
const ORIGIN = { caller: CALLER, key: 'once' };
const ID = predictionIdOf(ORIGIN);
const SEED = seedOf(ORIGIN);

let services: TestServices;
beforeEach(() => {
  services = new TestServices();
});

function ask(props: Partial<PredictProps> = {}) {
  const { signal } = new AbortController();
  const defaults = { request: REQUEST, caller: CALLER, waitMs: 20_000, requestId: 'request', signal };
  return predict({ ...defaults, ...props }, services);
}

const always = (fault: EndpointFault) => () => fault;

describe('without a key', () => {
  test('warm: the picture, and no storage is touched', async () => {
    const outcome = await ask({ request: { ...REQUEST, seed: 7 } });
    const answer = pictureOf({ ...REQUEST, seed: 7 });
    expect(outcome).toEqual({
      kind: 'answer',
      answer,
      timings: { unet: 12 },
      id: expect.any(String),
      replayed: false,
    });
    expect([services.store.requests.size, services.sent, services.log.reads]).toEqual([0, [], 0]);
  });

  test('a seed is chosen where none was asked for', async () => {
    const seeds = await Promise.all([ask(), ask()]);
    const drawn = seeds.map((outcome) => outcome.kind === 'answer' && outcome.answer.seed);
    expect(drawn[0]).not.toBe(drawn[1]);
  });

  test('cold: stored, then queued, then accepted; and the endpoint is woken', async () => {
    services.script = always('cold');
    const outcome = await ask();
    expect(outcome).toMatchObject({ kind: 'accepted', cold: true });
    const [[id, record] = []] = services.store.requests;
    expect(outcome).toHaveProperty('id', id);
    expect(record).toMatchObject({ id, caller: CALLER, request_id: 'request', request: REQUEST });
    expect(services.sent).toEqual([{ message: { kind: 'predict', id, failures: 0 }, delay: 0 }]);
    expect([services.wakes, services.invocations]).toEqual([1, 1]);
  });

  test('a wake that fails spoils nothing', async () => {
    services.script = always('cold');
    services.log.read = () => Promise.reject(new AppError('UNAVAILABLE', 'no log'));
    expect(await ask()).toMatchObject({ kind: 'accepted' });
    expect(services.events).toMatchObject([{ kind: 'trouble' }]);
  });

  test.each(['busy', 'lost', 'throttled'] as const)(
    '%s, then free: asked again until it is',
    async (fault) => {
      services.script = (count) => (count < 4 ? fault : undefined);
      expect(await ask()).toMatchObject({ kind: 'answer', replayed: false });
      expect(services.invocations).toBe(5);
    },
  );

  test('busy for longer than the caller waits: accepted by then', async () => {
    services.script = always('busy');
    const before = services.clock.now();
    expect(await ask({ waitMs: 5_000 })).toMatchObject({ kind: 'accepted', cold: false, waited: true });
    expect(services.clock.now() - before).toBeLessThanOrEqual(5_000);
    expect(services.wakes).toBe(0);
  });

  test('a timeout: the picture may still come', async () => {
    services.script = always('timeout');
    expect(await ask()).toMatchObject({ kind: 'accepted', cold: false });
    expect(services.invocations).toBe(1);
  });

  test.each(['model', 'refused', 'unknown'] as const)('%s: told at once, nothing accepted', async (fault) => {
    services.script = always(fault);
    await expect(ask()).rejects.toMatchObject({ name: 'AppError', fault });
    expect([services.store.requests.size, services.sent, services.invocations]).toEqual([0, [], 1]);
  });

  test.each([
    ['asked for with wait=0', { waitMs: 0 }, true],
    ['with a webhook', { request: { ...REQUEST, webhook: 'https://example.com/' } }, false],
  ])('%s: accepted without a look at the endpoint', async (_, props, waited) => {
    expect(await ask(props)).toMatchObject({ kind: 'accepted', cold: false, waited });
    expect([services.invocations, services.sent.length]).toEqual([0, 1]);
  });

  test('the webhook is kept apart from what is drawn', async () => {
    await ask({ request: { ...REQUEST, webhook: 'https://example.com/' } });
    const [record] = [...services.store.requests.values()];
    expect(record?.webhook).toBe('https://example.com/');
    expect(record?.request).not.toHaveProperty('webhook');
  });

  test.each(['store', 'queue'] as const)('where the %s refuses, nothing is accepted', async (part) => {
    services.script = always('cold');
    const refuse = () => Promise.reject(new Error('a secret detail'));
    if (part === 'store') services.store.createRequest = refuse;
    else services.queue.send = refuse;
    const error = await ask().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(error.message).toMatch(/nothing was accepted/);
    expect(error.message).not.toMatch(/secret/);
    if (part === 'store') expect(services.sent).toEqual([]);
  });

  test('whose caller has gone is not kept', async () => {
    const gone = new AbortController();
    gone.abort();
    services.script = always('timeout');
    await expect(ask({ signal: gone.signal })).rejects.toMatchObject({ fault: 'timeout' });
    expect(services.store.requests.size).toBe(0);
  });
});

describe('with a key', () => {
  const key = ORIGIN.key;

  test('warm: the picture, whose end is in the store before it is told', async () => {
    const answer = pictureOf({ ...REQUEST, seed: SEED });
    expect(await ask({ key })).toMatchObject({ kind: 'answer', answer, replayed: false });
    expect(services.store.results.get(ID)).toMatchObject({ status: 'succeeded', answer });
    expect(services.sent).toEqual([]);
  });

  test('again: the same, undrawn', async () => {
    const first = await ask({ key });
    const again = await ask({ key });
    expect(again).toEqual({ ...first, replayed: true });
    expect(services.invocations).toBe(1);
  });

  test('in parallel: one is drawn, all get it', async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => ask({ key })));
    const answer = pictureOf({ ...REQUEST, seed: SEED });
    expect(outcomes.map((outcome) => outcome.kind === 'answer' && outcome.answer)).toEqual(
      Array(10).fill(answer),
    );
    expect(services.invocations).toBe(1);
  });

  test('with another body: a conflict, which draws nothing', async () => {
    await ask({ key });
    const other = { ...REQUEST, num_steps: 2 };
    await expect(ask({ key, request: other })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(services.invocations).toBe(1);
  });

  test('of somebody else: another prediction', async () => {
    await ask({ key });
    await ask({ key, caller: 'another' });
    expect(services.store.requests.size).toBe(2);
  });

  test('expired: gone', async () => {
    await ask({ key });
    services.clock.time += DAY_MS + 1;
    await expect(ask({ key })).rejects.toMatchObject({ code: 'GONE' });
  });

  test('cold: accepted under its own id; again, however often: accepted, and its message is there already', async () => {
    services.script = always('cold');
    expect(await ask({ key })).toEqual({ kind: 'accepted', id: ID, cold: true, waited: false });
    expect(await ask({ key, waitMs: 1_000 })).toEqual({
      kind: 'accepted',
      id: ID,
      cold: false,
      waited: true,
    });
    expect(await ask({ key, waitMs: 0 })).toEqual({ kind: 'accepted', id: ID, cold: false, waited: true });
    expect(services.sent.map(({ message }) => message.id)).toEqual([ID]);
    expect(services.store.requests.size).toBe(1);
  });

  test('the first one died before it was queued: its duplicate queues it', async () => {
    const send = services.queue.send;
    services.queue.send = () => Promise.reject(new Error('killed'));
    await expect(ask({ key, waitMs: 0 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    services.queue.send = send;
    expect(await ask({ key, waitMs: 0 })).toEqual({ kind: 'accepted', id: ID, cold: false, waited: true });
    expect(services.sent).toHaveLength(1);
  });

  test('where the note of that fails, it is accepted all the same, and queued again by the next', async () => {
    services.store.markQueued = () => Promise.reject(new Error('refused'));
    for (const cold of [false, false])
      expect(await ask({ key, waitMs: 0 })).toEqual({ kind: 'accepted', id: ID, cold, waited: true });
    expect(services.sent).toHaveLength(2);
  });

  test('a failure is recorded, and told to everybody', async () => {
    services.script = always('model');
    await expect(ask({ key })).rejects.toMatchObject({ fault: 'model' });
    services.script = () => undefined;
    const again = await ask({ key });
    expect(again).toMatchObject({ kind: 'failed', error: { status: 502, detail: 'the endpoint is model' } });
  });

  test.each([undefined, 'model'] as const)(
    'an end that cannot be stored is not told, for it may come out otherwise (%s)',
    async (fault) => {
      services.script = () => fault;
      const createResult = services.store.createResult;
      services.store.createResult = () => Promise.reject(new Error('a secret detail'));
      const error = await ask({ key }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(error.message).toMatch(/Idempotency-Key/);
      services.store.createResult = createResult;
      expect(await ask({ key, waitMs: 1_000 })).toMatchObject({ kind: 'accepted', id: ID });
    },
  );

  test('a duplicate was faster: its result is told', async () => {
    const theirs = { ...pictureOf({ ...REQUEST, seed: SEED }), model: 'theirs' };
    const completed_at = new Date(0).toISOString();
    await services.store.createResult(ID, {
      status: 'succeeded',
      answer: theirs,
      timings: {},
      completed_at,
    });
    expect(await ask({ key })).toMatchObject({ kind: 'answer', answer: theirs, id: ID, replayed: true });
  });
});

test('the end of a sleep is noticed by who saw its beginning', async () => {
  services.script = (count) => (count === 0 ? 'cold' : undefined);
  await ask();
  services.clock.time += 90_000;
  await ask();
  const wakes = services.events.filter(({ kind }) => kind === 'woken' || kind === 'cold-start');
  expect(wakes).toEqual([{ kind: 'woken' }, { kind: 'cold-start', seconds: 90 }]);
});
