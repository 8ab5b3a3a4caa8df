import { describe, expect, test } from 'vitest';
import { billedHours, judge } from '../../support/pulled/judge.js';
import { RUNTIME_MAX_MS } from '../../support/pulled/machine.js';
import { days, type PulledReport } from '../../support/pulled/simulate.js';
import { ALARM_LATE_MS, ALARM_MS, type PulledScenario } from '../../support/pulled/world.js';
import { arrivals, randomOf } from '../../support/scaling/traffic.js';

// Days of the service with instances that sleep: its own code of API, functions and worker, before models of SQS, S3 and EC2.

const DAY = 86_400;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** A message in a dead worker's hands, two restarts, a stop at its longest and a wake at its longest. Milliseconds. */
const LONGEST_WAIT_MS = 8 * MINUTE_MS;
/** How long a prediction waits for a wake at most: 60 looks at a sleeper. Milliseconds. */
const PATIENCE_MS = 21 * MINUTE_MS;
const ALLOWED = { idleSeconds: 60, latenciesMs: 3_000, longestWaitMs: LONGEST_WAIT_MS };

/** Most requests by day, few at night. */
const daily = (requests: number) => (second: number) => {
  const hour = (second % DAY) / 3600;
  return (requests / DAY) * (hour > 8 && hour < 20 ? 1.8 : 0.2);
};

function month(seed: number, requests: number, scenario: PulledScenario, count = 30): Promise<PulledReport> {
  const random = randomOf(seed);
  const moments = arrivals(count * DAY, (requests / DAY) * 1.8, daily(requests), random);
  return days(scenario, seed, moments);
}

const waits = ({ asked }: PulledReport) =>
  asked
    .map(({ askedAt, result }) => (Date.parse(result?.completed_at ?? '') - askedAt) / 1000)
    .sort((a, b) => a - b);

describe('thirty days', { timeout: 240_000 }, () => {
  test.each([
    [10, 1, {}],
    [20, 2, {}],
    [10, 3, { zones: 2 }],
    [10, 4, { idleSeconds: 300 }],
  ] as const)(
    '%i requests a day (seed %i): each is drawn, and nobody is awake for nothing',
    async (requests, seed, scenario) => {
      const report = await month(seed, requests, scenario);
      expect(judge(report, { ...ALLOWED, ...scenario })).toEqual([]);
      expect(report.asked.length).toBeGreaterThan(requests * 25);
      expect(report.sessions.length).toBeGreaterThan(100);
      const all = waits(report);
      const [half, most] = [all[all.length >> 1], all.at(-1)] as [number, number];
      console.log(
        `${requests} a day, ${JSON.stringify(scenario)}: ${report.sessions.length} wakes, ${billedHours(report.sessions).toFixed(1)} ` +
          `instance hours; waits ${half.toFixed(0)} s at the median, ${most.toFixed(0)} s at most`,
      );
    },
  );

  test('workers that die: what they had in hand is drawn by the next', async () => {
    const report = await month(5, 20, { crashes: 0.3 });
    expect(judge(report, ALLOWED)).toEqual([]);
    expect(report.crashes).toBeGreaterThan(25);
  });

  test('no capacity of any type for an hour, each day: who waits too long is told so, and all others are drawn', async () => {
    const noCapacity = Array.from({ length: 30 }, (_, day) => {
      const from = day * DAY * 1000 + 12 * HOUR_MS;
      return [from, from + HOUR_MS] as const;
    });
    const mayFail = noCapacity.map(([from, to]) => [from - PATIENCE_MS, to] as const);
    const report = await month(6, 20, { noCapacity });
    expect(judge(report, { ...ALLOWED, mayFail })).toEqual([]);
    const failed = report.asked.filter(({ result }) => result?.status === 'failed');
    expect(failed.length).toBeGreaterThan(5);
  });

  test('a machine that draws without pause: it is let go each eleven hours, and nothing is lost', async () => {
    const steady = Array.from({ length: 2 * DAY * 0.025 }, (_, index) => index * 40);
    const report = await days({}, 7, steady);
    expect(judge(report, ALLOWED)).toEqual([]);
    expect(report.sessions.map(({ cause }) => cause)).toContain('runtime');
  });

  test('the same seed gives the same days', async () => {
    expect(await month(8, 20, { crashes: 0.2 }, 3)).toEqual(await month(8, 20, { crashes: 0.2 }, 3));
  });
});

describe('a bill that nobody wants', () => {
  const HANG = { from: 0, to: 2 * HOUR_MS } as const;
  /** Three while it hangs, and one each hour of the day after. */
  const moments = [0, 600, 3_600, ...Array.from({ length: 24 }, (_, hour) => (12 + hour) * 3_600)];
  const BOOT_MS = 61_000;

  describe.each(['deaf', 'frozen'] as const)('a worker that is %s, and never ends', (kind) => {
    test.each([
      ["the machine's own clock ends it", false, 'runtime', RUNTIME_MAX_MS + 75_000 + BOOT_MS],
      ['or else the alarm', true, 'alarm', ALARM_MS + ALARM_LATE_MS],
    ] as const)('%s', async (_, brokenSystemd, cause, most) => {
      const report = await days({ hang: { ...HANG, kind }, brokenSystemd }, 9, moments);
      // Who had asked it is told after a while that nothing came of it, or is drawn late.
      const mayFail = [[0, 15 * HOUR_MS]] as const;
      expect(judge(report, { ...ALLOWED, mayFail })).toEqual([]);
      const [first] = report.sessions;
      expect(first?.cause).toBe(cause);
      expect((first?.offAt ?? 0) - (first?.startedAt ?? 0)).toBeLessThanOrEqual(most);
      const later = report.asked.filter(({ askedAt }) => askedAt - report.start > 15 * HOUR_MS);
      expect(later.length).toBeGreaterThan(10);
      expect(later.every(({ result }) => result?.status === 'succeeded')).toBe(true);
    });
  });

  test('the simulation sees a worker that would stay awake', async () => {
    const report = await days({ sabotage: 'never idle' }, 10, [0, 60]);
    expect(judge(report, ALLOWED)).toEqual([]);
    expect(report.sessions[0]?.cause).toBe('runtime');
    expect(billedHours(report.sessions)).toBeGreaterThan(10);
  });
});
