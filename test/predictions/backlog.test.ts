import { expect, test } from 'vitest';
import { simulate } from '../support/simulation/simulate.js';

const REQUESTS = 1_000;

test('1,000 requests at once: none is given up because the endpoint wakes long and is busy then', async () => {
  const report = await simulate(
    {
      clients: REQUESTS,
      spreadMs: 60_000,
      // Many more than one endpoint has work for: most of what they send finds its queue full.
      workers: 20,
      copies: 0,
      endpoint: { wakeMs: 720_000, drawMs: [2_000, 2_000], queueLimit: 8 },
    },
    1,
  );
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ accepted: REQUESTS, failed: 0, givenUp: 0, wakes: 1 });
});
