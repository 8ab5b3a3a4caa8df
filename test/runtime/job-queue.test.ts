import { expect, test } from 'vitest';
import { JobQueue } from '../../lib/runtime/job-queue.js';

const never = new AbortController().signal;

test('jobs run one at a time, in order', async () => {
  const queue = new JobQueue(10);
  const events: string[] = [];
  const job = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => queue.run(job(name), never)));
  expect(results.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('several places: so many at once, begun in order, and those that wait take turns at what comes free', async () => {
  const queue = new JobQueue(10, 3);
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  const job = (index: number) => () => {
    begun.push(index);
    return new Promise<void>((resolve) => (finish[index] = resolve));
  };
  const jobs = [0, 1, 2, 3, 4].map((index) => queue.run(job(index), never));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (const index of [1, 0, 3]) {
    finish[index]?.();
    await settled();
  }
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  const drained = queue.drained();
  finish[2]?.();
  finish[4]?.();
  await drained;
  await Promise.all(jobs);
});

test('the limit is of those that wait: a free place is taken whatever it is', async () => {
  const queue = new JobQueue(0, 2);
  let finish: () => void = () => {};
  const running = [1, 2].map(() =>
    queue.run(() => new Promise<void>((resolve) => (finish = resolve)), never),
  );
  await expect(queue.run(async () => 3, never)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  finish();
  await running[1];
  expect((await queue.run(async () => 4, never)).value).toBe(4);
});

test('a job that fails does not stop the next', async () => {
  const queue = new JobQueue(10);
  const failed = queue.run(() => Promise.reject(new Error('no')), never);
  const next = queue.run(async () => 1, never);
  await expect(failed).rejects.toThrow('no');
  expect((await next).value).toBe(1);
});

test('more than the limit are refused as retryable, and places come free again', async () => {
  const queue = new JobQueue(1);
  let finish: () => void = () => {};
  const running = queue.run(() => new Promise<void>((resolve) => (finish = resolve)), never);
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = queue.run(async () => 2, never);
  await expect(queue.run(async () => 3, never)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
  });
  finish();
  await running;
  expect((await waiting).value).toBe(2);
  expect((await queue.run(async () => 4, never)).value).toBe(4);
});

test('an aborted job is not started, and drained() waits for the others', async () => {
  const queue = new JobQueue(10);
  const caller = new AbortController();
  const started: string[] = [];
  const run = (name: string, signal: AbortSignal) => queue.run(async () => started.push(name), signal);
  const [first, gone, last] = [run('first', never), run('gone', caller.signal), run('last', never)];
  caller.abort(new Error('gone'));
  gone.catch(() => undefined);
  await queue.drained();
  expect(started).toEqual(['first', 'last']);
  await expect(gone).rejects.toThrow('gone');
  await Promise.all([first, last]);
});
