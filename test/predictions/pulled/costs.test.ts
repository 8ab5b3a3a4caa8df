import { expect, test } from 'vitest';
import { markdownTable } from '../../bench/markdown-table.js';
import { synthService } from '../../support/infra/synth-service.js';
import { billedHours } from '../../support/pulled/judge.js';
import { days } from '../../support/pulled/simulate.js';
import { arrivals, randomOf } from '../../support/scaling/traffic.js';
import { World } from '../../support/scaling/world.js';

// What a month costs on either backend, by requests a day: the service's own code in virtual time, nothing measured on AWS.
// It takes minutes: `npm run costs`.
const isAsked = process.env['npm_lifecycle_event'] === 'costs';

/** List prices in dollars, us-east-1, November 2026: an hour of each machine, and of its public IPv4 address. */
const SAGEMAKER_HOUR = 0.736;
const EC2_HOUR = 0.526 + 0.005;
/** Of a gp3 disk of 30 GB: $0.08 a GB and month. */
const EC2_DISK = 2.4;
const DAY = 86_400;
const MONTH = 30;
/** With AWS's container caching; expected, not measured. Seconds. */
const SAGEMAKER_WAKE = [120, 180] as const;
const SEED = 13;

/** Most requests by day, few at night. */
const daily = (requests: number) => (second: number) => {
  const hour = (second % DAY) / 3600;
  return (requests / DAY) * (hour > 8 && hour < 20 ? 1.8 : 0.2);
};

interface Month {
  readonly hours: number;
  readonly median: number;
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** What is simulated of a month: all of it takes long where there are many requests. Seconds. */
function ec2Span(requests: number): number {
  if (requests > 10_000) return DAY / 24;
  return requests > 100 ? DAY : MONTH * DAY;
}

async function onEc2(requests: number): Promise<Month> {
  const seconds = ec2Span(requests);
  // An hour is no day: it has the mean of one.
  const rate = seconds < DAY ? () => requests / DAY : daily(requests);
  const moments = arrivals(seconds, (requests / DAY) * 1.8, rate, randomOf(SEED));
  const { sessions, asked } = await days({}, SEED, moments);
  const waits = asked.map(({ askedAt, result }) => (Date.parse(result?.completed_at ?? '') - askedAt) / 1000);
  return { hours: (billedHours(sessions) * MONTH * DAY) / seconds, median: middle(waits) };
}

async function onSageMaker(requests: number): Promise<Month> {
  const seconds = requests > 10_000 ? DAY : 4 * DAY;
  const random = randomOf(SEED);
  const moments = arrivals(seconds, (requests / DAY) * 1.8, daily(requests), random);
  const service = synthService();
  const world = new World({ service, seconds, random, arrivals: moments, wake: SAGEMAKER_WAKE });
  await world.run();
  return { hours: ((world.component.billed / 3600) * MONTH * DAY) / seconds, median: middle(world.waits) };
}

const dollars = (sum: number) => `$${sum.toFixed(sum < 10 ? 2 : 0)}`;

/** Never more than all the hours of a month: an hour that is cut out of it ends with a sleep of its own. */
function column(requests: number, { hours, median }: Month, price: number, disk: number): string[] {
  const billed = Math.min(hours, MONTH * 24);
  const cost = billed * price + disk;
  return [
    billed.toFixed(0),
    dollars(cost),
    `$${(cost / requests / MONTH).toFixed(4)}`,
    `${median.toFixed(1)} s`,
  ];
}

test.skipIf(!isAsked)('what a month costs on either backend', { timeout: 600_000 }, async () => {
  const titles = ['instance hours', 'a month', 'a picture', 'median wait'];
  const rows = [
    [
      'requests a day',
      ...titles.map((title) => `EC2: ${title}`),
      ...titles.map((title) => `SageMaker: ${title}`),
    ],
  ];
  for (const requests of [10, 1_000, 100_000]) {
    const [ec2, sagemaker] = [await onEc2(requests), await onSageMaker(requests)];
    expect(ec2.hours).toBeLessThan(sagemaker.hours * 1.05);
    const columns = [
      ...column(requests, ec2, EC2_HOUR, EC2_DISK),
      ...column(requests, sagemaker, SAGEMAKER_HOUR, 0),
    ];
    rows.push([requests.toLocaleString('en'), ...columns]);
  }
  console.log(markdownTable(rows));
});
