import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors/app-error.js';
import { readPrediction } from '../../lib/predictions/read-prediction.js';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';
import { UnreadableRecord } from '../../lib/predictions/records/unreadable-record.js';
import { ANYBODY, predictionSchema, type ResultRecord } from '../../lib/schemas/prediction.js';
import { pictureOf } from '../support/simulation/endpoint.js';
import { DAY_MS, REQUEST, TestServices } from './test-services.js';

const CALLER = 'somebody';
const SEEDED = { ...REQUEST, seed: 1 };

let services: TestServices;
let id: string;
beforeEach(() => {
  services = new TestServices();
  id = newPredictionId();
});

async function accept(webhook?: string, caller = CALLER): Promise<void> {
  await services.store.createRequest({
    id,
    caller,
    fingerprint: 'print',
    created_at: created(),
    request_id: 'request',
    request: SEEDED,
    ...(webhook === undefined ? {} : { webhook }),
  });
}

const created = () => new Date(Date.UTC(2026, 0, 1)).toISOString();
const read = (waitMs = 0, caller = CALLER, signal?: AbortSignal) =>
  readPrediction({ id, caller, waitMs, ...(signal ? { signal } : {}) }, services);

function end(): ResultRecord {
  const completed_at = new Date(services.clock.now()).toISOString();
  return { status: 'succeeded', completed_at, answer: pictureOf(SEEDED), timings: { unet: 12 } };
}

describe('a prediction', () => {
  test('that is queued says where it will be', async () => {
    await accept();
    const prediction = await read();
    expect(prediction).toEqual({
      id,
      created_at: created(),
      status: 'queued',
      status_url: `/predictions/${id}`,
    });
    expect(predictionSchema.parse(prediction)).toEqual(prediction);
  });

  test('is its own caller’s; one of a time when there was one key is anybody’s', async () => {
    await accept();
    await expect(read(0, 'somebody else')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    id = newPredictionId();
    await accept(undefined, ANYBODY);
    for (const caller of [CALLER, 'somebody else']) expect(await read(0, caller)).toMatchObject({ id });
  });

  test('that has succeeded has what the warm answer has', async () => {
    await accept();
    await services.store.createResult(id, end());
    const prediction = await read();
    expect(prediction).toMatchObject({ status: 'succeeded', ...pictureOf(SEEDED) });
    expect(predictionSchema.parse(prediction)).toEqual(prediction);
  });

  test('that has failed says why', async () => {
    await accept();
    const error = services.toProblem(new AppError('INTERNAL', 'x'), 'request');
    await services.store.createResult(id, { status: 'failed', completed_at: created(), error });
    const prediction = await read();
    expect(prediction).toMatchObject({ status: 'failed', error });
    expect(predictionSchema.parse(prediction)).toEqual(prediction);
  });

  test('with a webhook tells how telling it stands', async () => {
    await accept('https://example.com/');
    expect(await read()).toMatchObject({ webhook: { status: 'pending', attempts: 0 } });
    await services.store.createResult(id, end());
    await services.store.createWebhook(id, { status: 'failed', attempts: 8, error: 'nobody there' });
    expect(await read()).toMatchObject({ webhook: { status: 'failed', attempts: 8, error: 'nobody there' } });
  });

  test.each([
    ['damaged', (store: string) => new UnreadableRecord(store, 'webhook', new Error('not JSON'))],
    ['out of reach', () => new AppError('UNAVAILABLE', 'access is denied (EACCES)')],
  ])('whose webhook.json is %s is answered without it, and the log is told', async (_, error) => {
    await accept('https://example.com/');
    await services.store.createResult(id, end());
    const fault = error(id);
    services.store.readWebhook = async () => {
      throw fault;
    };
    const prediction = await read();
    expect(predictionSchema.parse(prediction)).toEqual(prediction);
    expect(prediction).toMatchObject({ status: 'succeeded', ...pictureOf(SEEDED) });
    expect(prediction).not.toHaveProperty('webhook');
    expect(services.events).toEqual([
      { kind: 'trouble', what: `prediction ${id} is answered without its webhook`, error: fault },
    ]);
  });

  test('of somebody else is not there, in the same words as one that never was', async () => {
    const missing = await read().catch((error) => error);
    await accept();
    const foreign = await read(0, 'another').catch((error) => error);
    expect(missing).toMatchObject({ code: 'NOT_FOUND' });
    expect(foreign).toMatchObject({ code: 'NOT_FOUND', message: missing.message });
    expect(missing.message).toMatch(/kept for 1 day /);
  });

  test('is gone a day after it was asked for, whatever became of it', async () => {
    await accept();
    await services.store.createResult(id, end());
    services.clock.time += DAY_MS;
    expect(await read()).toMatchObject({ status: 'succeeded' });
    services.clock.time += 1;
    await expect(read()).rejects.toMatchObject({ code: 'GONE', message: expect.stringMatching(/1 day$/) });
  });
});

describe('a long poll', () => {
  beforeEach(() => accept());

  test('ends when the prediction does', async () => {
    const before = services.clock.now();
    const { sleep } = services.clock;
    const clock = {
      ...services.clock,
      sleep: async (ms: number) => {
        await sleep(ms);
        if (services.clock.now() - before > 3_000) await services.store.createResult(id, end());
      },
    };
    const props = { id, caller: CALLER, waitMs: 20_000 };
    const prediction = await readPrediction(props, { ...services, clock, store: services.store });
    expect(prediction.status).toBe('succeeded');
    expect(services.clock.now() - before).toBeLessThan(5_000);
  });

  test('ends at its time, with a last look', async () => {
    const before = services.clock.now();
    let looks = 0;
    services.store.readResult = async () => {
      looks++;
      return undefined;
    };
    expect(await read(10_000)).toMatchObject({ status: 'queued' });
    expect(services.clock.now() - before).toBe(10_000);
    expect(looks).toBeLessThanOrEqual(15);
  });

  test('ends when nobody waits any more', async () => {
    const gone = new AbortController();
    gone.abort();
    const before = services.clock.now();
    expect(await read(10_000, CALLER, gone.signal)).toMatchObject({ status: 'queued' });
    expect(services.clock.now()).toBe(before);
  });

  test('looks again where the store failed on the way, not at its end', async () => {
    let looks = 0;
    services.store.readResult = async () => {
      if (looks++ < 3) throw new AppError('UNAVAILABLE', 'later');
      return end();
    };
    expect(await read(10_000)).toMatchObject({ status: 'succeeded' });
    looks = 0;
    await expect(read(0)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('does not look again at a record that is broken', async () => {
    services.store.readResult = async () => {
      throw new AppError('INVALID_FILE', 'broken');
    };
    const before = services.clock.now();
    await expect(read(10_000)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    expect(services.clock.now()).toBe(before);
  });
});
