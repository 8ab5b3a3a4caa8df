import { expect, test } from 'vitest';
import { simulate } from '../support/simulation/simulate.js';

const REQUESTS = 1_000;
/** Many more workers than one endpoint has work for: most of what they send it finds its queue full. */
const CROWD = { clients: REQUESTS, spreadMs: 60_000, workers: 20, copies: 0 };
const SLOW = { drawMs: [2_000, 2_000] as const, queueLimit: 8 };

test.each([
  ['at a warm endpoint', { wakeMs: 0, startsReady: true }],
  ['at one that first wakes for 12 minutes', { wakeMs: 720_000 }],
])('1,000 requests at once %s: none is given up for busyness', async (_, endpoint) => {
  const report = await simulate({ ...CROWD, endpoint: { ...SLOW, ...endpoint } }, 1);
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ requests: REQUESTS, failed: 0, givenUp: 0 });
  expect(report.accepted).toBeGreaterThan(0.9 * REQUESTS);
});
