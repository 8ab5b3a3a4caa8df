import { beforeEach, describe, expect, test } from 'vitest';
import type { EndpointState } from '../../lib/predictions/endpoint.js';
import { Waker } from '../../lib/predictions/wake/waker.js';
import { MemoryWakeLog } from '../support/predictions/memory-stores.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let time: number;
let log: MemoryWakeLog;
let wakes: number;
let states: number;
let state: EndpointState;
let refusal: Error | undefined;

beforeEach(() => {
  [time, wakes, states] = [Date.UTC(2026, 0, 1), 0, 0];
  log = new MemoryWakeLog();
  state = { state: 'asleep' };
  refusal = undefined;
});

function waker(): Waker {
  const wake = async () => {
    wakes++;
    if (refusal) throw refusal;
  };
  const stateOf = async () => {
    states++;
    return state;
  };
  return new Waker({ endpoint: { wake, state: stateOf }, log, now: () => time });
}

/** Wakes for so long, and is seen ready then. */
async function wakeFor(seconds: number): Promise<void> {
  const process = waker();
  expect(await process.wake()).toBe(true);
  time += seconds * SECOND;
  expect(await process.sawReady()).toBe(seconds);
  time += 10 * MINUTE;
}

describe('once per sleep', () => {
  test('one process, however many requests at once: one look at the log, one wake', async () => {
    const process = waker();
    const woke = await Promise.all(Array.from({ length: 1_000 }, () => process.wake()));
    expect(woke.filter(Boolean)).toHaveLength(1);
    expect([wakes, log.reads]).toEqual([1, 1]);
  });

  test('many processes at once', async () => {
    const woke = await Promise.all(Array.from({ length: 100 }, () => waker().wake()));
    expect(woke.filter(Boolean)).toHaveLength(1);
    expect(wakes).toBe(1);
  });

  test('a process that has just asked does not even look into the log for 5 s', async () => {
    const process = waker();
    await process.wake();
    time += 4.9 * SECOND;
    expect(await process.wake()).toBe(false);
    expect(log.reads).toBe(1);
    time += 0.2 * SECOND;
    expect(await process.wake()).toBe(false);
    expect([wakes, log.reads]).toEqual([1, 2]);
  });

  test('for two minutes nobody asks the backend: its own answer lags behind', async () => {
    await waker().wake();
    time += 2 * MINUTE - 1;
    expect(await waker().wake()).toBe(false);
    expect([wakes, states]).toEqual([1, 0]);
  });

  test.each([
    ['still waking', 'waking', false],
    ['up, and nobody has said so yet', 'ready', false],
    ['asleep: the wake came to nothing', 'asleep', true],
    ['failed', 'failed', true],
  ] as const)('after that the backend knows: %s', async (_, name, again) => {
    await waker().wake();
    time += 2 * MINUTE;
    state = { state: name };
    expect(await waker().wake()).toBe(again);
    expect(wakes).toBe(again ? 2 : 1);
  });

  test('the next sleep is another one', async () => {
    await wakeFor(200);
    expect(await waker().wake()).toBe(true);
    expect(wakes).toBe(2);
  });

  test('a cold answer from just before it was up wakes nothing', async () => {
    await waker().wake();
    time += 3 * MINUTE;
    await waker().sawReady(true);
    time += SECOND;
    state = { state: 'ready' };
    expect(await waker().wake()).toBe(false);
    state = { state: 'asleep' };
    expect(await waker().wake()).toBe(true);
  });
});

describe('a wake that could not be asked for', () => {
  beforeEach(() => {
    refusal = new Error('ThrottlingException');
  });

  test('is told to who asked, and taken back: the next one asks at once', async () => {
    await expect(waker().wake()).rejects.toThrow('ThrottlingException');
    refusal = undefined;
    expect(await waker().wake()).toBe(true);
    expect(wakes).toBe(2);
  });

  test('the same process may ask again at once, too', async () => {
    const process = waker();
    await expect(process.wake()).rejects.toThrow();
    refusal = undefined;
    expect(await process.wake()).toBe(true);
  });

  test('those who waited with it hear nothing of it', async () => {
    const process = waker();
    const outcomes = await Promise.allSettled([process.wake(), process.wake(), process.wake()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });

  test('leaves the lengths of earlier wakes', async () => {
    refusal = undefined;
    await wakeFor(100);
    refusal = new Error('refused');
    const before = log.entry?.record;
    await expect(waker().wake()).rejects.toThrow();
    expect(log.entry?.record).toEqual(before);
  });
});

describe('sawReady', () => {
  test('costs nothing where the endpoint was never found asleep', async () => {
    expect(await waker().sawReady()).toBeUndefined();
    expect(log.reads).toBe(0);
  });

  test('tells the length of a wake once', async () => {
    const [process, other] = [waker(), waker()];
    await process.wake();
    time += 90 * SECOND;
    expect(await other.sawReady(true)).toBe(90);
    expect(await process.sawReady()).toBeUndefined();
    expect(await other.sawReady(true)).toBeUndefined();
  });

  test('of two at once one tells', async () => {
    await waker().wake();
    time += 90 * SECOND;
    const told = await Promise.all([waker().sawReady(true), waker().sawReady(true)]);
    expect(told.filter((seconds) => seconds !== undefined)).toEqual([90]);
  });

  test('the last five lengths are kept, newest first', async () => {
    for (const seconds of [10, 20, 30, 40, 50, 60]) await wakeFor(seconds);
    expect(log.entry?.record.recent_seconds).toEqual([60, 50, 40, 30, 20]);
  });
});

describe('health', () => {
  test.each([[{ state: 'ready' }], [{ state: 'failed', detail: 'no such model' }]] as const)(
    '%j needs no log',
    async (given) => {
      state = given;
      expect(await waker().health()).toEqual(given);
      expect(log.reads).toBe(0);
    },
  );

  test('asleep, with and without a wake that is over', async () => {
    expect(await waker().health()).toEqual({ state: 'asleep' });
    await wakeFor(10);
    expect(await waker().health()).toEqual({ state: 'asleep' });
  });

  test('waking since the request for it, though the backend does not show it yet', async () => {
    await waker().wake();
    time += 30 * SECOND;
    expect(await waker().health()).toEqual({ state: 'waking', waking_for: 30, estimate: 120 });
    time += 90 * SECOND;
    expect(await waker().health()).toEqual({ state: 'asleep' });
  });

  test('the estimate is the median of recent wakes less what is over, and never negative', async () => {
    for (const seconds of [400, 100, 200]) await wakeFor(seconds);
    await waker().wake();
    state = { state: 'waking', detail: 'downloading' };
    time += 50 * SECOND;
    const detail = 'downloading';
    expect(await waker().health()).toEqual({ state: 'waking', detail, waking_for: 50, estimate: 150 });
    time += 200 * SECOND;
    expect(await waker().health()).toEqual({ state: 'waking', detail, waking_for: 250, estimate: 0 });
  });

  test('the estimate alone does not ask the backend', async () => {
    expect(await waker().estimate()).toBe(0);
    await waker().wake();
    time += 100 * SECOND;
    expect(await waker().estimate()).toBe(50);
    await waker().sawReady(true);
    expect(await waker().estimate()).toBe(0);
    expect(states).toBe(0);
  });

  test('a wake that the alarm began is one without an estimate', async () => {
    state = { state: 'waking' };
    expect(await waker().health()).toEqual({ state: 'waking' });
  });
});

describe('asleep with work left', () => {
  test('woken again three times in a row, then no more; a picture in between begins anew', async () => {
    await wakeFor(60);
    for (let restart = 1; restart <= 3; restart++) {
      expect(await waker().wakeAgain()).toBe(true);
      time += 40 * SECOND;
      // Its worker loads, and then dies.
      await waker().sawReady(true);
      await waker().sawReady(true);
    }
    expect(await waker().wakeAgain()).toBe(false);
    expect(wakes).toBe(4);
    // Whoever finds it cold may wake it all the same, and that is no new beginning.
    time += 10 * MINUTE;
    expect(await waker().wake()).toBe(true);
    expect(await waker().wakeAgain()).toBe(false);
    await waker().sawReady(true, true);
    expect(log.entry?.record).not.toHaveProperty('restarts');
    expect(await waker().wakeAgain()).toBe(true);
    await waker().sawReady(true);
    await waker().sawReady(true, true);
    expect(log.entry?.record).not.toHaveProperty('restarts');
    expect(log.entry?.record.recent_seconds).toHaveLength(5);
  });

  test('a wake that is refused does not count', async () => {
    refusal = new Error('still stopping');
    for (let time = 0; time < 5; time++) await expect(waker().wakeAgain()).rejects.toThrow('still stopping');
    refusal = undefined;
    expect(await waker().wakeAgain()).toBe(true);
    expect(log.entry?.record.restarts).toBe(1);
  });

  test('nobody else wakes it at the same time', async () => {
    await wakeFor(60);
    await waker().wakeAgain();
    expect(await waker().wake()).toBe(false);
    expect(wakes).toBe(2);
  });
});
