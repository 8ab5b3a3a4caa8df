import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LocalMessageQueue } from '../../../functions/home/local-message-queue.js';
import { fileFault } from '../../../functions/home/records/file-fault.js';
import { HoldingStore } from '../../../functions/home/records/holding-store.js';
import {
  failDeadLetter,
  processMessage,
  type WorkerServices,
} from '../../../lib/predictions/process-message.js';
import type { PredictionStore } from '../../../lib/predictions/records/prediction-store.js';
import { TestServices } from '../../predictions/test-services.js';
import { MemoryPredictionStore } from '../../support/predictions/memory-stores.js';
import { requestRecord, resultRecord } from '../../support/predictions/prediction-records.js';

const RUNS = 80;
const HOUR_S = 3_600;
const CODES = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'EACCES'] as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

/** A store in memory that refuses writes, with the code of the system's error, while `fault` names one. */
class FullStore extends MemoryPredictionStore {
  fault: string | undefined;
  /** Predictions that alone cannot be written to. */
  readonly denied = new Set<string>();

  override createRequest(record: Parameters<PredictionStore['createRequest']>[0]) {
    return this.#write(record.id, () => super.createRequest(record));
  }

  override createResult(...[id, record]: Parameters<PredictionStore['createResult']>) {
    return this.#write(id, () => super.createResult(id, record));
  }

  override createWebhook(...[id, record]: Parameters<PredictionStore['createWebhook']>) {
    return this.#write(id, () => super.createWebhook(id, record));
  }

  async #write(id: string, write: () => Promise<boolean>): Promise<boolean> {
    const code = this.denied.has(id) ? 'EACCES' : this.fault;
    if (code !== undefined) throw fileFault('the store cannot be written to', { code });
    return write();
  }
}

/** The worker of the service at home around a store that is full at times. */
function start(
  workersStore: (store: PredictionStore) => PredictionStore = (store) => new HoldingStore(store),
) {
  const store = new FullStore();
  const test = new TestServices();
  const queue = new LocalMessageQueue({
    work: (message) => processMessage(message, worker),
    giveUp: (message) => failDeadLetter(message, worker),
    onTrouble: () => undefined,
  });
  const services: WorkerServices = { ...test, store, queue };
  const worker = { ...services, store: workersStore(store) };
  /** @returns undefined where it was refused */
  const accept = async (webhook: boolean): Promise<string | undefined> => {
    const created_at = new Date(test.clock.now()).toISOString();
    const record = requestRecord({ created_at, ...(webhook ? { webhook: 'https://example.com/' } : {}) });
    return test.delivery.accept(record, false, services).then(
      () => record.id,
      () => undefined,
    );
  };
  return { store, test, accept };
}

const step = fc.record({
  requests: fc.array(fc.boolean(), { maxLength: 8 }),
  fault: fc.option(fc.constantFrom(...CODES), { nil: undefined }),
  /** After which the store is as `fault` says: the requests come before. */
  pause: fc.integer({ min: 0, max: HOUR_S }),
});

test('whenever the store is full, all that is accepted is drawn once, told once and stored when there is room', async () => {
  let [accepted, refused] = [0, 0];
  const run = async (steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) => {
    const { store, test, accept } = start();
    const ids: string[] = [];
    for (const { requests, fault, pause } of steps) {
      const answers = await Promise.all(requests.map(accept));
      ids.push(...answers.filter((id) => id !== undefined));
      refused += answers.filter((id) => id === undefined).length;
      store.fault = fault;
      await seconds(pause);
    }
    store.fault = undefined;
    await seconds(HOUR_S);
    accepted += ids.length;
    expect([...store.requests.keys()]).toEqual(ids);
    expect(ids.filter((id) => store.results.get(id)?.status !== 'succeeded')).toEqual([]);
    // What only one record is denied is drawn again, rather than let it keep others from being drawn.
    const again = steps.some(({ fault }) => fault === 'EACCES') ? test.invocations - ids.length : 0;
    expect(test.invocations).toBe(ids.length + Math.max(0, again));
    const wanted = ids.filter((id) => store.requests.get(id)?.webhook !== undefined);
    expect(test.told.map(({ id }) => id).sort()).toEqual(wanted.sort());
    expect([...store.webhooks.keys()].sort()).toEqual(wanted);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 6 }), run), { numRuns: RUNS });
  expect(Math.min(accepted, refused)).toBeGreaterThan(RUNS / 2);
});

describe('the test sees a safety that is missing', () => {
  test('a worker whose store holds nothing draws and tells again and again', async () => {
    const { store, test, accept } = start((plain) => plain);
    const first = await accept(false);
    store.fault = 'ENOSPC';
    await seconds(HOUR_S);
    expect(test.invocations).toBeGreaterThan(100);
    store.fault = undefined;
    await seconds(HOUR_S);
    // What is not lost without it, either: the store's faults are not counted against a prediction.
    expect(store.results.get(first as string)).toMatchObject({ status: 'succeeded' });
  });
});

test('on a full disk four pictures are held at most, and nothing more is drawn', async () => {
  const { store, test, accept } = start();
  const ids = await Promise.all(Array.from({ length: 20 }, () => accept(false)));
  store.fault = 'ENOSPC';
  await seconds(HOUR_S);
  expect(test.invocations).toBe(4);
  store.fault = undefined;
  await seconds(HOUR_S);
  expect(ids.filter((id) => store.results.has(id as string))).toHaveLength(20);
  expect(test.invocations).toBe(20);
});

test('predictions that alone cannot be written to do not keep others from being drawn', async () => {
  const { store, accept } = start();
  const ids = (await Promise.all(Array.from({ length: 10 }, () => accept(false)))) as string[];
  for (const id of ids.slice(0, 6)) store.denied.add(id);
  await seconds(HOUR_S);
  expect([...store.results.keys()].sort()).toEqual(ids.slice(6).sort());
  store.denied.clear();
  await seconds(HOUR_S);
  expect(store.results.size).toBe(10);
});

test('what is held stays the first, and a picture is no failure because its message came too often', async () => {
  const store = new FullStore();
  const holding = new HoldingStore(store);
  const { id } = requestRecord();
  store.fault = 'ENOSPC';
  await expect(holding.createResult(id, resultRecord(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(holding.createResult(id, resultRecord(2))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(holding.readResult(id)).rejects.toMatchObject({
    message: expect.stringContaining('the disk is full'),
  });
  store.fault = undefined;
  expect(await holding.createResult(id, resultRecord(3))).toBe(false);
  expect(await holding.readResult(id)).toEqual(resultRecord(1));
});
