import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { checkedLookup } from '../../../functions/shared/webhooks/checked-lookup.js';
import { isPublicAddress } from '../../../functions/shared/webhooks/public-address.js';

const GOOGLE: LookupAddress[] = [
  { address: '2001:4860:4860::8888', family: 6 },
  { address: '8.8.8.8', family: 4 },
];

/** What a socket would be told: the arguments of its callback. */
function ask(addresses: LookupAddress[], all: boolean): Promise<unknown[]> {
  const lookup = checkedLookup(async () => addresses, isPublicAddress);
  return new Promise((resolve) => lookup('webhook.test', { all }, (...told) => resolve(told)));
}

// Sockets ask for all addresses where they may choose the family, and for one where they may not.
describe.each([true, false])('all: %s', (all) => {
  test('public addresses are handed on', async () => {
    expect(await ask(GOOGLE, all)).toEqual(all ? [null, GOOGLE] : [null, '2001:4860:4860::8888', 6]);
  });

  test.each([0, 1])('a private one in place %i refuses all', async (place) => {
    const [error, told] = await ask(GOOGLE.with(place, { address: '10.0.0.1', family: 4 }), all);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', retryable: false });
    expect(told).toEqual([]);
  });

  test('no address at all is an error', async () => {
    const [error, told] = await ask([], all);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(told).toEqual([]);
  });
});
