import { afterAll, describe, expect, test } from 'vitest';
import { type Report, simulate } from '../support/simulation/simulate.js';
import type { Scenario } from '../support/simulation/world.js';
import { FAULT_CASES, mixture, type Seen } from './scenarios.js';

const RUNS = 100;
const MIXTURES = 300;
const FIGURES = ['requests', 'accepted', 'failed', 'draws', 'sleeps', 'wakes', 'deaths', 'faults'] as const;

const totals = Object.fromEntries(FIGURES.map((name) => [name, 0])) as Record<
  (typeof FIGURES)[number],
  number
>;
const verdicts = new Map<string, number>();
let runs = 0;

/** Runs it with the seeds 0 to `count` - 1. */
async function runAll(count: number, scenario: (seed: number) => Scenario): Promise<Report[]> {
  const reports: Report[] = [];
  for (let seed = 0; seed < count; seed++) {
    const report = await simulate(scenario(seed), seed);
    reports.push(report);
    runs++;
    for (const name of FIGURES) totals[name] += report[name];
    for (const { verdict } of report.violations) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  return reports;
}

function violationsOf(reports: readonly Report[]): string[] {
  return reports.flatMap(({ violations }, seed) =>
    violations.map(({ verdict, what }) => `seed ${seed}: ${verdict}: ${what}`),
  );
}

function total(seen: Seen, reports: readonly Report[]): number {
  const figure = (report: Report) =>
    seen === 'extraDraws' ? Math.max(0, report.draws - report.requests) : report[seen];
  return reports.reduce((sum, report) => sum + figure(report), 0);
}

describe('every accepted request ends in exactly one right result', () => {
  test.each(FAULT_CASES)('$name', async ({ scenario, seen }) => {
    const reports = await runAll(RUNS, scenario);
    expect(violationsOf(reports)).toEqual([]);
    expect(total(seen, reports)).toBeGreaterThan(RUNS / 2);
  });

  test('everything at once', async () => {
    expect(violationsOf(await runAll(MIXTURES, mixture))).toEqual([]);
  });

  test('the same seed gives the same run', async () => {
    expect(await simulate(mixture(7), 7)).toEqual(await simulate(mixture(7), 7));
  });
});

afterAll(() => {
  const count = (verdict: string) => `${verdict} ${verdicts.get(verdict) ?? 0}`;
  const figures = FIGURES.map((name) => `${name} ${totals[name]}`).join(', ');
  const wrong = ['lost', 'wrong', 'double', 'untold', 'stuck', 'failed without need', 'woken too often'];
  console.log(`faults: runs ${runs}, ${figures}; ${wrong.map(count).join(', ')}`);
});
