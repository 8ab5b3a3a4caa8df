import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { problemSchema } from '../../../lib/schemas/problem.js';
import type { DeployedStack } from '../deployed-stack.js';

/** What a stack with these limits lets through. */
export const TIGHT = { rateLimit: '2', burstLimit: '4', dailyQuota: '12' };
/** Slower than the rate allows: what is refused for that counts in no day. Milliseconds. */
const PAUSE = 600;
const NOWHERE = `/predictions/${'a'.repeat(32)}`;

/** Exhausts a usage plan: first what a second has, then what a day has. Both are told in the service's shape. */
export async function exhaust(stack: DeployedStack): Promise<void> {
  const atOnce = await Promise.all(Array.from({ length: 12 }, () => stack.get(NOWHERE)));
  const refused = atOnce.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  for (const response of refused) await expectRefusal(response, /requests a second/, '2');
  for (let asked = 0; asked <= 2 * Number(TIGHT.dailyQuota); asked++) {
    const response = await stack.get(NOWHERE);
    const said = response.status === 429 ? await response.clone().text() : '';
    if (/in a day/.test(said)) return expectRefusal(response, /requests in a day/, '3600');
    await wait(PAUSE);
  }
  throw new Error(`more than ${TIGHT.dailyQuota} requests were let through in a day`);
}

async function expectRefusal(response: Response, said: RegExp, retryAfter: string): Promise<void> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('retry-after')).toBe(retryAfter);
  const problem = problemSchema.parse(await response.json());
  expect(problem).toMatchObject({ status: 429, title: 'Too Many Requests' });
  expect(problem.detail).toMatch(said);
}
