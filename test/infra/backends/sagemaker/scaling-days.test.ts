import { describe, expect, test } from 'vitest';
import { at, type Service, synthService } from '../../../support/infra/synth-service.js';
import { compile } from '../../../support/scaling/metric-math.js';
import { MAX_LATE } from '../../../support/scaling/recorder.js';
import { arrivals, randomOf } from '../../../support/scaling/traffic.js';
import { World, type WorldProps } from '../../../support/scaling/world.js';

// Days of the service with the alarms, policies and limits of the synthesised template, before a model of CloudWatch
// (late and missing data, actions every minute), Application Auto Scaling, SageMaker (slow wakes, slow release) and SQS.

const DAY = 86_400;
/** Dollars an hour, us-east-1, list price of 2026. */
const PRICE = 0.736;
/** What CloudWatch has not seen yet: the data are late, and a minute is not over. Seconds. */
const BLIND = MAX_LATE + 60;
/** The longest wake, and what the alarm as its backstop takes. Seconds. */
const LONGEST_WAIT = 15 * 60;
const LONGEST_RELEASE = 720;
/** What this image should take with AWS's container caching; not measured. Seconds. */
const EXPECTED_WAKE = [120, 180] as const;

const one = synthService();
const three = synthService({ maxInstances: 3 });

interface Days extends Partial<WorldProps> {
  readonly seed: number;
  /** Requests a second at a time. */
  readonly rate: (second: number) => number;
}

function simulate({ seed, rate, seconds = 2 * DAY, ...props }: Days): Promise<World> {
  const random = randomOf(seed);
  const most = Math.max(...Array.from({ length: 500 }, (_, index) => rate((seconds * index) / 500)));
  return new World({
    service: one,
    seconds,
    random,
    arrivals: arrivals(seconds, most, rate, random),
    ...props,
  }).run();
}

/** That many requests a day: most of them by day, few at night. */
const daily = (requests: number) => (second: number) => {
  const hour = (second % DAY) / 3600;
  return (requests / DAY) * (hour > 8 && hour < 20 ? 1.8 : 0.2);
};

function expectGood(world: World, service: Service = one): void {
  const limits = service.properties('AWS::ApplicationAutoScaling::ScalableTarget');
  expect(world.deadLetters).toBe(0);
  expect(Math.max(0, ...world.waits, ...world.unfinished)).toBeLessThan(LONGEST_WAIT);
  expect(world.mostCopies).toBeLessThanOrEqual(at<number>(limits, 'MaxCapacity'));
  // No copy was taken from work that CloudWatch can have known of, nor from those who had just woken it.
  expect(Math.max(-1, ...world.sleeps.map(({ oldest }) => oldest))).toBeLessThan(BLIND);
  expect(world.undoneWakes).toBe(0);
}

/** Seconds from the last work that CloudWatch can have known of until each sleep. */
function idleTimes({ sleeps, working }: World): number[] {
  return sleeps.map(({ time }) => time - (working.findLast((second) => second < time - BLIND) ?? 0));
}

const idleMinutes = at<number>(
  one.properties('AWS::CloudWatch::Alarm', 'Endpoint/Scaling/IdleAlarm'),
  'EvaluationPeriods',
);
const policy = one.properties('AWS::ApplicationAutoScaling::ScalingPolicy', 'Endpoint/Scaling/Sleep');
const cooldown = at<number>(policy, 'StepScalingPolicyConfiguration', 'Cooldown');

describe.each([10, 100, 1_000, 10_000])('%i requests a day', (requests) => {
  test.each([1, 2, 3])('nothing is lost or undone, and it sleeps in time (seed %i)', async (seed) => {
    const world = await simulate({ seed, rate: daily(requests) });
    expect(world.waits.length + world.unfinished.length).toBeGreaterThan(requests);
    expectGood(world);
    const idle = idleTimes(world);
    expect(Math.min(...idle, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(idleMinutes * 60);
    expect(Math.max(...idle, 0)).toBeLessThan(idleMinutes * 60 + BLIND + cooldown);
  });
});

test('a burst scales out to the maximum, and back', async () => {
  const burst = (second: number) => (second > 3_000 && second < 9_000 ? 4 : second < 20_000 ? 0.002 : 0);
  const world = await simulate({ seed: 7, service: three, rate: burst, seconds: 40_000 });
  expectGood(world, three);
  expect(world.mostCopies).toBe(3);
  const fewer = world.scaling.changes.filter(({ from, to }) => to < from && to > 0);
  expect(fewer.length).toBeGreaterThan(0);
  expect(world.component.instances).toBe(0);
});

test('more than it can draw for an hour waits, and is drawn in the end', async () => {
  const flood = (second: number) => (second < 3_600 ? 6 : 0);
  const world = await simulate({ seed: 14, rate: flood, seconds: 4 * 3_600 });
  expect([world.deadLetters, world.unfinished]).toEqual([0, []]);
  expect(world.waits.length).toBeGreaterThan(20_000);
  expect(world.undoneWakes).toBe(0);
});

test('where nobody can wake it directly, the alarm does', async () => {
  const world = await simulate({ seed: 5, rate: daily(50), directWake: false });
  expect(world.scaling.changes.some(({ from, to }) => from === 0 && to === 1)).toBe(true);
  expectGood(world);
});

test('where SageMaker takes one change at a time', async () => {
  expectGood(await simulate({ seed: 6, rate: daily(100), exclusive: true }));
});

test('where AWS does not report on copies, the second alarm puts it to sleep half an hour later', async () => {
  const world = await simulate({ seed: 7, rate: daily(20), copiesReported: false });
  expectGood(world);
  expect(world.sleeps.length).toBeGreaterThan(3);
  expect(Math.max(...idleTimes(world))).toBeLessThan((idleMinutes + 30) * 60 + BLIND + cooldown);
});

test('deployed and never used, it sleeps, and stays asleep', async () => {
  const random = randomOf(8);
  const world = new World({ service: one, seconds: DAY, arrivals: [], random });
  world.component.setDesired(1, 0);
  await world.run();
  expect(world.component.instances).toBe(0);
  // Creation, the idle minutes, what is late, and the release.
  expect(world.component.billed).toBeLessThan(600 + idleMinutes * 60 + BLIND + LONGEST_RELEASE);
});

describe('the model sees what goes wrong with', () => {
  type Edits = readonly [type: string, name: string, from: string | RegExp, to: string][];
  const ALARM = 'AWS::CloudWatch::Alarm';
  const POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';

  /** The default service with other alarms or policies. */
  function edited(edits: Edits): Service {
    const service = synthService();
    const resources = service.template.Resources as Record<string, unknown>;
    for (const [type, name, from, to] of edits) {
      const id = service.id(type, `Endpoint/Scaling/${name}`);
      const before = JSON.stringify(resources[id]);
      const after = before.replaceAll(from, to);
      expect(after).not.toBe(before);
      resources[id] = JSON.parse(after);
    }
    return service;
  }

  test('an idle alarm that lasts through sleep: it takes away each copy that is on its way', async () => {
    const service = edited([
      [ALARM, 'IdleAlarm', ' + 0 * up', ''],
      [POLICY, 'Sleep', '"Cooldown":900', '"Cooldown":0'],
    ]);
    expect((await simulate({ seed: 9, service, rate: daily(30) })).undoneWakes).toBeGreaterThan(5);
  });

  test('no cooldown: who wakes it while the data are late loses his copy', async () => {
    const service = edited([[POLICY, 'Sleep', '"Cooldown":900', '"Cooldown":0']]);
    const worlds = await Promise.all(
      [1, 2, 3, 4].map((seed) => simulate({ seed, service, rate: daily(300) })),
    );
    expect(worlds.reduce((sum, { undoneWakes }) => sum + undoneWakes, 0)).toBeGreaterThan(0);
  });

  test('an idle alarm that does not know the queue: it takes a copy from work that waits', async () => {
    const service = edited([
      [ALARM, 'WasteAlarm', 'FILL(waiting, 0) + FILL(taken, 0)', '0'],
      [ALARM, 'WasteAlarm', ':35', ':3'],
    ]);
    const world = await simulate({ seed: 10, service, rate: daily(30) });
    expect(Math.max(...world.sleeps.map(({ oldest }) => oldest))).toBeGreaterThan(BLIND);
  });

  test("a wake alarm like AWS's sample: a single request wakes nobody", async () => {
    const service = edited([[ALARM, 'WakeAlarm', '"Threshold":1', '"Threshold":3']]);
    const world = await simulate({ seed: 11, service, rate: daily(10), directWake: false });
    expect(world.deadLetters).toBeGreaterThan(0);
  });

  test('FILL for the sign of life: the newest minute is never idle, and it never sleeps', async () => {
    const filled = 'IF(FILL(up, -1) >= 0, IF($1 > 0, 0, 1), 0)';
    const expression = /IF\((.*?) > 0, 0, 1\) \+ 0 \* up/g;
    const service = edited([
      [ALARM, 'IdleAlarm', expression, filled],
      [ALARM, 'WasteAlarm', expression, filled],
    ]);
    expect((await simulate({ seed: 12, service, rate: daily(10) })).sleeps).toEqual([]);
  });
});

test('what a month costs', async () => {
  const lines: string[] = [];
  for (const requests of [10, 1_000, 100_000]) {
    const seconds = requests > 10_000 ? DAY : 4 * DAY;
    const world = await simulate({ seed: 13, rate: daily(requests), seconds, wake: EXPECTED_WAKE });
    const hours = (world.component.billed / 3600) * ((30 * DAY) / seconds);
    const waits = world.waits.toSorted((a, b) => a - b);
    const share = waits.filter((wait) => wait < 20).length / waits.length;
    lines.push(
      `${requests} requests a day: ${hours.toFixed(0)} GPU hours, $${(hours * PRICE).toFixed(0)} a month; ` +
        `${(100 * share).toFixed(1)} % of requests answered within 20 s`,
    );
    expect(hours).toBeGreaterThan(0);
    expect(hours).toBeLessThan(745);
  }
  console.log(lines.join('\n'));
});

describe('metric math', () => {
  test.each([
    ['1 + 2 * 3', 7],
    ['IF(a > 0, b, 9)', 5],
    ['IF(FILL(none, 0) > 0, 1, 0) + 0 * a', 0],
    ['FILL(none, -1) >= 0', 0],
    ['0 * none', undefined],
    ['IF(none > 1, 2, 3)', undefined],
  ])('%s', (expression, value) => {
    expect(compile(expression)({ a: 1, b: 5, none: undefined })).toBe(value);
  });

  test.each(['a +', 'MAX(a, b)', 'c', 'a b', 'IF(a, b'])('%s is refused', (expression) => {
    expect(() => compile(expression)({ a: 1, b: 5 })).toThrow();
  });
});
