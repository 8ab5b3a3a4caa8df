import { expect, test } from 'vitest';
import { StateWriter } from '../../../functions/endpoint/worker/state-writer.js';
import type { Condition, StoredRecord } from '../../../functions/shared/aws/s3/s3-records.js';
import { AppError } from '../../../lib/errors/app-error.js';
import type { EndpointStatus } from '../../../lib/schemas/endpoint-status.js';
import { WORKER_FRESH_MS, type WorkerState, workerStateSchema } from '../../../lib/schemas/worker-state.js';

/** One object as S3 keeps it, with every state that it has had. */
class MemoryObject {
  readonly states: WorkerState[] = [];
  refuses = false;
  /** Done between a read and the write after it. */
  between: (() => void) | undefined;

  read = async (): Promise<StoredRecord | undefined> => {
    this.#answer();
    const state = this.states.at(-1);
    const stored = state && {
      bytes: Buffer.from(JSON.stringify(state)),
      etag: String(this.states.length),
    };
    this.between?.();
    this.between = undefined;
    return stored;
  };

  write = async (_: string, state: unknown, condition?: Condition): Promise<boolean> => {
    this.#answer();
    if (condition && 'IfMatch' in condition && condition.IfMatch !== String(this.states.length)) return false;
    this.states.push(workerStateSchema.parse(state));
    return true;
  };

  phases(): string[] {
    return this.states.map(({ worker, phase }) => `${worker} ${phase}`);
  }

  #answer(): void {
    if (this.refuses) throw new AppError('UNAVAILABLE', 'the store does not answer');
  }
}

const STARTED = '2026-11-29T12:00:00.000Z';

function writerOf(records: MemoryObject, worker = 'a', started_at = STARTED) {
  const clock = { now: Date.parse(STARTED) };
  const status: { current: EndpointStatus } = {
    current: { state: 'ready', bytes_done: 7, bytes_total: 7, provider: 'cpu', model: 'm', seconds: {} },
  };
  const troubles: unknown[] = [];
  const writer = new StateWriter({
    records,
    worker: { worker, started_at },
    status: () => status.current,
    onTrouble: (error) => troubles.push(error),
    now: () => clock.now,
  });
  return { writer, clock, status, troubles };
}

test('states are written in the order in which they were true, whoever waits for them', async () => {
  const records = new MemoryObject();
  const { writer, status } = writerOf(records);
  for (const state of ['starting', 'downloading', 'loading', 'warming', 'ready'] as const) {
    status.current = { ...status.current, state };
    writer.tell();
  }
  await writer.close();
  expect(records.states.map(({ phase }) => phase)).toEqual([
    'starting',
    'downloading',
    'loading',
    'warming',
    'ready',
  ]);
});

test('lies down, gets up, and fails in words that fit', async () => {
  const records = new MemoryObject();
  const { writer } = writerOf(records);
  await writer.tell();
  expect(await writer.lieDown()).toBe(true);
  writer.getUp();
  await writer.fail(new Error('x'.repeat(5000)));
  expect(records.phases()).toEqual(['a ready', 'a stopping', 'a ready', 'a failed']);
  expect(records.states.at(-1)?.error).toHaveLength(2000);
});

test.each([
  ['another worker', 'b', STARTED],
  ['an earlier process of the same name', 'a', '2026-11-29T11:00:00.000Z'],
])('what %s has said stays', async (_, name, started) => {
  const records = new MemoryObject();
  const { writer } = writerOf(records);
  await writer.tell();
  await writerOf(records, name, started).writer.tell();
  expect(await writer.lieDown()).toBe(true);
  expect(records.phases().at(-1)).toBe(`${name} ready`);
});

test('what another worker says between the look and the write stays, too', async () => {
  const records = new MemoryObject();
  const { writer } = writerOf(records);
  await writer.tell();
  const other = writerOf(records, 'b').writer;
  records.between = () => void other.tell();
  expect(await writer.lieDown()).toBe(true);
  expect(records.phases()).toEqual(['a ready', 'b ready']);
});

test('a heartbeat of its own that arrives late is replaced', async () => {
  const records = new MemoryObject();
  const { writer } = writerOf(records);
  await writer.tell();
  records.between = () => records.states.push(records.states[0] as WorkerState);
  expect(await writer.lieDown()).toBe(true);
  expect(records.phases().at(-1)).toBe('a stopping');
});

test('without a store it may not lie down before nobody believes its last word any more', async () => {
  const records = new MemoryObject();
  const { writer, clock, troubles } = writerOf(records);
  await writer.tell();
  records.refuses = true;
  // Nobody can tell whether this arrived.
  await writer.tell();
  expect(await writer.lieDown()).toBe(false);
  clock.now += WORKER_FRESH_MS;
  expect(await writer.lieDown()).toBe(false);
  clock.now += WORKER_FRESH_MS;
  expect(await writer.lieDown()).toBe(true);
  expect(troubles).toHaveLength(4);
});
