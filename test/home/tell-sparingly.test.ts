import { expect, test } from 'vitest';
import { tellSparingly } from '../../functions/home/tell-sparingly.js';

const MINUTE_MS = 60_000;

function start() {
  const told: string[] = [];
  const clock = { time: 0 };
  const tell = tellSparingly(
    (what) => told.push(what),
    () => clock.time,
  );
  return { told, clock, tell };
}

test('the same error from everywhere is told once, and then ever more rarely; others beside it', () => {
  const { told, clock, tell } = start();
  // Every 5 seconds for a day.
  for (; clock.time < 24 * 60 * MINUTE_MS; clock.time += 5_000)
    tell(`at ${clock.time / MINUTE_MS}`, new Error('full'));
  expect(told.slice(0, 4)).toEqual(['at 0', 'at 1', 'at 3', 'at 7']);
  expect(told.length).toBeLessThan(32);
  tell('another', new Error('gone'));
  expect(told.at(-1)).toBe('another');
});

test('what comes again after a silence is told at once', () => {
  const { told, clock, tell } = start();
  tell('first', new Error('full'));
  clock.time += 30 * MINUTE_MS;
  tell('second', new Error('full'));
  clock.time += MINUTE_MS;
  tell('third', new Error('full'));
  expect(told).toEqual(['first', 'second', 'third']);
});

test('errors of a thousand kinds are not remembered for ever', () => {
  const { told, tell } = start();
  for (let kind = 0; kind <= 1_000; kind++) tell(`${kind}`, new Error(`${kind}`));
  tell('again', new Error('0'));
  expect(told).toHaveLength(1_002);
});
