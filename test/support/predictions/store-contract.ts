import { expect, test } from 'vitest';
import { entryName, ownerOf, parseEntry } from '../../../lib/predictions/records/owner-index.js';
import { newPredictionId } from '../../../lib/predictions/records/prediction-id.js';
import type { PredictionStore } from '../../../lib/predictions/records/prediction-store.js';
import { requestRecord, resultRecord } from './prediction-records.js';

const RACERS = 16;

/**
 * What every store promises of claims, of lists, and of how predictions ended.
 *
 * @param retry how often a race may be run again, where what stands in for the store is not exact itself
 */
export function storeContract(makeStore: () => PredictionStore, retry = 0): void {
  test('of those who claim a prediction at the same time one does', { retry }, async () => {
    const [store, id] = [makeStore(), newPredictionId()];
    expect(await store.readClaim(id)).toBeUndefined();
    const race = async (version?: string) => {
      const tried = Array.from({ length: RACERS }, () => store.replaceClaim(id, 'drawing', version));
      return (await Promise.all(tried)).filter((written) => written !== undefined);
    };
    const [first, ...others] = await race();
    expect(others).toEqual([]);
    expect(await store.readClaim(id)).toEqual({ state: 'drawing', version: first });
    const [second, ...more] = await race(first);
    expect(more).toEqual([]);
    // The same state again is another claim.
    expect(second).not.toBe(first);
    expect(await store.replaceClaim(id, 'canceled', first)).toBeUndefined();
    expect(await store.replaceClaim(id, 'open', second)).toBeDefined();
    expect(await store.readClaim(id)).toMatchObject({ state: 'open' });
  });

  test('a claim that is not there replaces nothing', async () => {
    expect(await makeStore().replaceClaim(newPredictionId(), 'drawing', '"1"')).toBeUndefined();
  });

  test('an owner is shown its own, newest first, from where it wants', async () => {
    const store = makeStore();
    const [mine, other] = [`me ${newPredictionId()}`, 'somebody / else'];
    const records = Array.from({ length: 7 }, (_, i) =>
      requestRecord({
        caller: i === 3 ? other : mine,
        created_at: new Date(Date.parse('2026-11-29T00:00:00Z') + i).toISOString(),
        ...(i === 2 && { webhook: 'https://receiver.test/' }),
      }),
    );
    for (const record of [...records, ...records]) await store.enlist(ownerOf(record), entryName(record));
    const owned = records.filter(({ caller }) => caller === mine).toReversed();
    const list = (limit: number, after?: string) => store.listOwned(ownerOf({ caller: mine }), limit, after);
    const names = await list(100);
    expect(names.map((name) => parseEntry(name))).toEqual(
      owned.map(({ id, created_at, webhook }, i) => ({
        name: names[i],
        id,
        createdAt: Date.parse(created_at),
        hasWebhook: webhook !== undefined,
      })),
    );
    expect(await list(2)).toEqual(names.slice(0, 2));
    expect(await list(3, names[1])).toEqual(names.slice(2, 5));
    expect(await list(3, names.at(-1))).toEqual([]);
    expect(await store.listOwned(ownerOf({ caller: 'nobody' }), 5)).toEqual([]);
  });

  test('how a prediction ended is read without its pictures', async () => {
    const store = makeStore();
    const completed_at = '2026-11-29T12:00:00.123Z';
    const error = { type: 'about:blank', title: 't', status: 502, detail: 'd', request_id: 'r' };
    const ends = [
      resultRecord(1, 200_000),
      { status: 'failed', completed_at, error },
      { status: 'canceled', completed_at },
    ] as const;
    for (const end of ends) {
      const id = newPredictionId();
      expect(await store.readEnd(id)).toBeUndefined();
      await store.createResult(id, end);
      expect(await store.readEnd(id)).toEqual({ status: end.status, completed_at: end.completed_at });
    }
  });
}
