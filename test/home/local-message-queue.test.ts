import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LocalMessageQueue } from '../../functions/home/local-message-queue.js';
import { AppError } from '../../lib/errors/app-error.js';
import type { Message } from '../../lib/predictions/message-queue.js';
import type { Verdict } from '../../lib/predictions/process-message.js';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';

const DONE: Verdict = { done: true };
const again = (retrySeconds: number): Verdict => ({ done: false, retrySeconds });
const predict = (): Message => ({ kind: 'predict', id: newPredictionId(), failures: 0 });
const webhook = (): Message => ({ kind: 'webhook', id: newPredictionId(), attempts: 0 });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

/** A queue whose work is `work`, and what it did. */
function start(work: (message: Message, turn: number) => Promise<Verdict> | Verdict) {
  const taken: string[] = [];
  const given: string[] = [];
  const troubles: string[] = [];
  const queue = new LocalMessageQueue({
    work: async (message) => {
      taken.push(message.id);
      return work(message, taken.length);
    },
    giveUp: async ({ id }) => void given.push(id),
    onTrouble: (what) => troubles.push(what),
  });
  return { queue, taken, given, troubles };
}

test('messages come in order, not before their time, and once when they are done', async () => {
  const { queue, taken } = start(() => DONE);
  const [late, first, second] = [predict(), predict(), predict()];
  await queue.send(late, 5);
  await queue.send(first);
  await queue.send(second);
  await seconds(4.9);
  expect(taken).toEqual([first.id, second.id]);
  await seconds(0.2);
  expect(taken).toEqual([first.id, second.id, late.id]);
  await seconds(100_000);
  expect(taken).toHaveLength(3);
});

test('a message that is not done comes again after the pause that its verdict asks for', async () => {
  const { queue, taken } = start((_, turn) => (turn < 3 ? again(20) : DONE));
  await queue.send(predict());
  await seconds(19);
  expect(taken).toHaveLength(1);
  await seconds(2);
  expect(taken).toHaveLength(2);
  await seconds(1000);
  expect(taken).toHaveLength(3);
});

test('one is worked on at a time, and webhooks beside it', async () => {
  const open: (() => void)[] = [];
  const { queue, taken } = start(() => new Promise((resolve) => open.push(() => resolve(DONE))));
  const pictures = [predict(), predict(), predict()];
  const told = webhook();
  for (const message of [...pictures, told]) await queue.send(message);
  await seconds(1);
  expect(taken).toEqual([pictures[0]?.id, told.id]);
  open[0]?.();
  await seconds(0);
  expect(taken.at(-1)).toBe(pictures[1]?.id);
});

describe('what goes on for too long', () => {
  test('is given up after 60 receives, once', async () => {
    const { queue, taken, given } = start(() => again(20));
    const message = predict();
    await queue.send(message);
    await seconds(60 * 20 - 1);
    expect([taken.length, given]).toEqual([60, []]);
    await seconds(100_000);
    expect([taken.length, given]).toEqual([60, [message.id]]);
  });

  test('failures of the work are told, counted, and do not stop the others', async () => {
    const poison = predict();
    const { queue, taken, given, troubles } = start((message) => {
      if (message.id === poison.id) throw new Error('poison');
      return DONE;
    });
    const good = predict();
    await queue.send(poison);
    await queue.send(good);
    await seconds(100_000);
    expect(taken.filter((id) => id === good.id)).toHaveLength(1);
    expect(taken.filter((id) => id === poison.id)).toHaveLength(60);
    expect(given).toEqual([poison.id]);
    expect(troubles).toHaveLength(60);
    expect(troubles[0]).toContain(poison.id);
  });

  test('is not what a store that fails does: for hours it is tried every 30 seconds, and then done', async () => {
    let isFull = true;
    const { queue, taken, given } = start(() => {
      if (isFull) throw new AppError('UNAVAILABLE', 'the disk is full');
      return DONE;
    });
    await queue.send(predict());
    await seconds(6 * 3_600);
    expect(taken.length).toBeGreaterThan(60);
    expect(taken.length).toBeLessThan(6 * 120 + 5);
    isFull = false;
    await seconds(30);
    const tries = taken.length;
    await seconds(100_000);
    expect([taken.length, given]).toEqual([tries, []]);
  });

  test.each([
    ['a store that fails for a while', new AppError('UNAVAILABLE', 'the disk is full'), 3],
    ['a record that is broken', new AppError('INVALID_FILE', 'broken'), 1],
  ])('giving up itself fails: %s', async (_, error, times) => {
    let attempts = 0;
    const queue = new LocalMessageQueue({
      work: async () => again(1),
      giveUp: async () => {
        attempts++;
        if (attempts < 3) throw error;
      },
      onTrouble: () => undefined,
    });
    await queue.send(predict());
    await seconds(100_000);
    expect(attempts).toBe(times);
  });
});

describe('when the endpoint comes up', () => {
  test('what waits for it is due; webhooks keep their pauses', async () => {
    const { queue, taken } = start((_, turn) => (turn === 1 ? again(20) : DONE));
    const [message, told] = [predict(), webhook()];
    await queue.send(message);
    await queue.send(told, 100);
    await seconds(1);
    queue.hasten();
    await seconds(0);
    expect(taken).toEqual([message.id, message.id]);
  });

  test('what was about to find it asleep comes again at once', async () => {
    let end = () => {};
    const { queue, taken } = start((_, turn) => {
      if (turn > 1) return DONE;
      return new Promise((resolve) => {
        end = () => resolve(again(20));
      });
    });
    await queue.send(predict());
    await seconds(0);
    queue.hasten();
    end();
    await seconds(0);
    expect(taken).toHaveLength(2);
  });
});

test('closing waits for what is worked on, and takes up nothing more', async () => {
  const open: (() => void)[] = [];
  const { queue, taken } = start(() => new Promise((resolve) => open.push(() => resolve(again(1)))));
  for (const message of [predict(), webhook(), predict()]) await queue.send(message);
  await queue.send(predict(), 10);
  await seconds(0);
  let isClosed = false;
  const closing = queue.close().then(() => {
    isClosed = true;
  });
  open[0]?.();
  await seconds(100);
  expect(isClosed).toBe(false);
  open[1]?.();
  await closing;
  await queue.send(predict());
  await seconds(100);
  expect(taken).toHaveLength(2);
});
