import { afterAll, describe, expect, test } from 'vitest';
import { type Fault, judge } from '../../support/pulled/judge.js';
import { race } from '../../support/pulled/simulate.js';
import type { Sabotage } from '../../support/pulled/world.js';

// Requests that arrive while a worker goes to sleep, in thousands of orders of what happens. Nothing watches over them here:
// the protocol of sending and sleeping has to do alone.

const RUNS = 500;
const SABOTAGE_RUNS = 100;
/** A stop, the event, a start and a wake at their longest here, and twice that for a stop in between. */
const ALLOWED = { idleSeconds: 3, latenciesMs: 2 * 5_000 + 1_000, longestWaitMs: 60_000 };
const totals = { runs: 0, requests: 0, sleeps: 0, restarts: 0 };

async function faultsOf(seeds: readonly number[], sabotage?: Sabotage) {
  const faults: string[] = [];
  const kinds = new Set<Fault>();
  for (const seed of seeds) {
    const report = await race(sabotage ? { sabotage } : { zones: 1 + (seed % 2) }, seed);
    totals.runs++;
    totals.requests += report.asked.length;
    totals.sleeps += report.sessions.length;
    totals.restarts += report.restarts;
    if (process.env['TOLD'])
      console.log(sabotage, report.asked.filter((a) => a.told).length, report.asked.length);
    for (const { fault, what } of judge(report, ALLOWED)) {
      faults.push(`seed ${seed}: ${fault}: ${what}`);
      kinds.add(fault);
    }
  }
  return { faults, kinds };
}

const seeds = (count: number, first = 0) => Array.from({ length: count }, (_, index) => first + index);

describe('a request and a worker that goes to sleep', () => {
  test.each([0, 1, 2, 3, 4])('never miss each other (part %i)', async (part) => {
    const { faults } = await faultsOf(seeds(RUNS / 5, (part * RUNS) / 5));
    expect(faults).toEqual([]);
  });

  test.each<[Sabotage, Fault]>([
    ['asks who listens before it sends', 'nobody listened'],
    ['says stopping too late', 'nobody listened'],
    ['nobody hears of a stop', 'stuck'],
    ['never idle', 'awake too long'],
  ])('the simulation sees it: %s', async (sabotage, fault) => {
    expect((await faultsOf(seeds(SABOTAGE_RUNS), sabotage)).kinds).toContain(fault);
  });
});

afterAll(() => console.log(`stopping and arriving: ${JSON.stringify(totals)}`));
