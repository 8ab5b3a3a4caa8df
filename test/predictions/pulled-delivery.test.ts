import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors/app-error.js';
import { type DrawNowProps, drawNow } from '../../lib/predictions/draw-now.js';
import { type PredictProps, predict } from '../../lib/predictions/predict.js';
import { processMessage } from '../../lib/predictions/process-message.js';
import { predictionIdOf } from '../../lib/predictions/records/prediction-id.js';
import { WakeRefused } from '../../lib/predictions/wake/wake-refused.js';
import { pictureOf } from '../support/simulation/endpoint.js';
import { PulledServices } from './pulled-services.js';
import { REQUEST } from './test-services.js';

const SEEDED = { ...REQUEST, seed: 7 };
const ANSWER = pictureOf(SEEDED);
const ORIGIN = { caller: 'somebody', key: 'once' };
const ID = predictionIdOf(ORIGIN);

let services: PulledServices;
beforeEach(() => {
  services = new PulledServices();
});

const signal = () => new AbortController().signal;
const common = () => ({ request: SEEDED, caller: ORIGIN.caller, requestId: 'request', signal: signal() });
const ask = (props: Partial<PredictProps> = {}) =>
  predict({ ...common(), waitMs: 20_000, ...props }, services);
const draw = (props: Partial<DrawNowProps> = {}) =>
  drawNow({ ...common(), waitMs: 25_000, ...props }, services);
const kinds = () => services.sent.map(({ message }) => message.kind);
const result = () => [...services.store.results.values()][0];

describe('somebody listens', () => {
  beforeEach(() => services.workAfter(500));

  test('stored, then queued, then drawn by whoever fetches it: the picture', async () => {
    expect(await ask()).toEqual({
      kind: 'answer',
      answer: ANSWER,
      timings: { unet: 12 },
      id: expect.any(String),
      replayed: false,
    });
    const [id] = services.store.requests.keys();
    expect(services.sent).toEqual([
      { message: { kind: 'predict', id, failures: 0 }, delay: 0 },
      { message: { kind: 'watch', id }, delay: 30 },
    ]);
    expect(services.wakes).toBe(0);
  });

  test('the first looks at the store follow within a sixth of what the picture has taken so far', async () => {
    const begun = services.clock.now();
    await ask();
    const late = services.clock.now() - begun - 500;
    expect([late >= 0, late < 500 / 6 + 25]).toEqual([true, true]);
  });

  test('with a key: kept by who drew it; again: the same, undrawn', async () => {
    const first = await ask({ key: ORIGIN.key });
    expect(first).toMatchObject({ kind: 'answer', id: ID, replayed: false });
    expect(await ask({ key: ORIGIN.key })).toEqual({ ...first, replayed: true });
    expect([services.invocations, kinds()]).toEqual([1, ['predict', 'watch']]);
    expect(services.store.queued.has(ID)).toBe(true);
  });

  test('in parallel with one key: one is drawn, all get it', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => ask({ key: ORIGIN.key })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(8).fill('answer'));
    expect(services.invocations).toBe(1);
  });

  test('what the endpoint refuses is thrown, and kept for who asks again', async () => {
    services.script = () => 'refused';
    const error = await ask({ key: ORIGIN.key }).catch((thrown) => thrown);
    expect(error).toMatchObject({ problem: { status: 400, detail: 'the endpoint is refused' } });
    expect(await ask({ key: ORIGIN.key })).toMatchObject({ kind: 'failed', error: error.problem });
  });

  test('for longer than the caller waits: accepted by then', async () => {
    services.workAfter(6_000);
    const begun = services.clock.now();
    expect(await ask({ waitMs: 5_000 })).toMatchObject({ kind: 'accepted', cold: false, waited: true });
    expect(services.clock.now() - begun).toBe(5_000);
  });

  test('where the last look at the store fails, it is accepted all the same', async () => {
    services.store.readResult = async () => {
      throw new AppError('UNAVAILABLE', 'the store does not answer');
    };
    expect(await ask({ waitMs: 1_000 })).toMatchObject({ kind: 'accepted' });
  });

  test.each(['store', 'predict', 'watch'] as const)(
    'where the %s refuses, nothing is accepted',
    async (part) => {
      const { send } = services.queue;
      if (part === 'store') services.store.createRequest = () => Promise.reject(new Error('a secret detail'));
      else
        services.queue.send = (message, delay) =>
          message.kind === part ? Promise.reject(new Error('a secret detail')) : send(message, delay);
      const error = await ask().catch((thrown) => thrown);
      expect(error).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('nothing was accepted'),
      });
      expect(error.message).not.toMatch(/secret/);
      if (part === 'store') expect(services.sent).toEqual([]);
    },
  );

  test('whether somebody does is not known: nobody is woken, and the watch asks again', async () => {
    services.listens = () => Promise.reject(new AppError('UNAVAILABLE', 'no state'));
    expect(await ask()).toMatchObject({ kind: 'answer' });
    expect(services.wakes).toBe(0);
    expect(services.events).toContainEqual(expect.objectContaining({ kind: 'trouble' }));
  });

  test('whose caller has gone is not drawn, unless it has a key', async () => {
    services.workAfter(5_000);
    const gone = AbortSignal.abort();
    expect(await ask({ signal: gone })).toMatchObject({ kind: 'accepted' });
    expect(result()).toMatchObject({ status: 'failed' });
    await ask({ signal: gone, key: ORIGIN.key });
    expect(services.store.results.has(ID)).toBe(false);
  });
});

describe('nobody listens', () => {
  beforeEach(() => {
    services.listens = async () => false;
  });

  test('woken, and accepted at once where a wake takes longer than the caller waits', async () => {
    const begun = services.clock.now();
    expect(await ask()).toMatchObject({ kind: 'accepted', cold: true, waited: false });
    expect([services.wakes, services.clock.now() - begun]).toEqual([1, 0]);
  });

  test('a caller who says how long it waits does wait', async () => {
    expect(await ask({ patient: true, waitMs: 25_000 })).toMatchObject({ kind: 'accepted', waited: true });
    services.workAfter(20_000);
    expect(await ask({ patient: true, waitMs: 25_000 })).toMatchObject({ kind: 'answer' });
  });

  test('any caller waits where recent wakes were shorter than that', async () => {
    const now = new Date(services.clock.now()).toISOString();
    const record = { started_at: now, ready_at: null, recent_seconds: [12] };
    services.log.entry = { record, version: '1' };
    services.workAfter(13_000);
    expect(await ask()).toMatchObject({ kind: 'answer' });
  });

  test.each([0, 20_000])('a wake that is refused for good ends it, in words (wait %d ms)', async (waitMs) => {
    services.pulled.endpoint.wake = async () => {
      throw new WakeRefused('the quota is 0');
    };
    const asked = ask({ waitMs, key: ORIGIN.key });
    if (waitMs === 0) await expect(asked).resolves.toMatchObject({ kind: 'accepted' });
    else await expect(asked).rejects.toMatchObject({ problem: { status: 503, detail: 'the quota is 0' } });
    expect(result()).toMatchObject({ status: 'failed', error: { status: 503, detail: 'the quota is 0' } });
    // Its message comes: nothing is drawn.
    expect(await processMessage({ kind: 'predict', id: ID, failures: 0 }, services)).toEqual({ done: true });
    expect(services.invocations).toBe(0);
  });

  test('a wake that fails now spoils nothing', async () => {
    services.pulled.endpoint.wake = () => Promise.reject(new Error('throttled'));
    expect(await ask({ patient: true })).toMatchObject({ kind: 'accepted', waited: true });
    expect(services.events).toMatchObject([{ kind: 'trouble' }]);
  });
});

describe('drawn now or not at all', () => {
  test('drawn: the picture, and nobody watches', async () => {
    services.workAfter(500);
    expect(await draw()).toEqual({ id: expect.any(String), answer: ANSWER, timings: { unet: 12 } });
    expect(kinds()).toEqual(['predict']);
  });

  test.each([
    [true, 'busy'],
    [false, 'cold'],
  ] as const)(
    'not by then (somebody listens: %s): %s, and whoever fetches it later leaves it',
    async (listens, fault) => {
      services.listens = async () => listens;
      await expect(draw()).rejects.toMatchObject({ fault });
      const [{ message } = { message: undefined }] = services.sent;
      expect(message && (await processMessage(message, services))).toEqual({ done: true });
      expect([services.invocations, services.wakes]).toEqual([0, listens ? 0 : 1]);
    },
  );

  test('drawn just as its caller gives up: the picture', async () => {
    services.workAfter(500);
    const { store } = services;
    let isCancelled = false;
    const [readResult, createResult] = [store.readResult.bind(store), store.createResult.bind(store)];
    store.readResult = async (id) => (isCancelled ? readResult(id) : undefined);
    store.createResult = async (id, record) => {
      isCancelled = record.status === 'failed';
      return createResult(id, record);
    };
    expect(await draw()).toMatchObject({ answer: ANSWER });
    expect(isCancelled).toBe(true);
  });

  test('what cannot be cancelled is drawn for nobody, and its caller is told the same', async () => {
    services.store.createResult = () => Promise.reject(new Error('refused'));
    await expect(draw()).rejects.toMatchObject({ fault: 'busy' });
    expect(services.events).toMatchObject([{ kind: 'trouble' }]);
  });

  test('what fails is thrown as its record says it', async () => {
    services.workAfter(500);
    services.script = () => 'refused';
    await expect(draw()).rejects.toMatchObject({ problem: { status: 400 } });
  });
});
