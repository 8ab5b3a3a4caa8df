import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { KeyRing } from '../../functions/home/keys/key-ring.js';
import { QuotaCount } from '../../functions/home/keys/quota-count.js';
import { FileKeys } from '../../lib/keys/file-keys.js';
import { KEY_FILE } from '../../lib/keys/read-key-file.js';

const scratch = mkdtempSync(join(tmpdir(), 'key-ring-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let folder: string;
let keys: FileKeys;
let now: number;
let troubles: string[];
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'data-'));
  keys = new FileKeys(folder);
  now = Date.parse('2026-11-29T23:59:00Z');
  troubles = [];
});

const onTrouble = (what: string, error: unknown) => troubles.push(`${what}: ${(error as Error).message}`);
const openCount = () => QuotaCount.open({ file: join(folder, 'key-usage.json'), onTrouble });
const openRing = async (quotas?: QuotaCount) =>
  new KeyRing({
    defaultKey: 'mine',
    file: join(folder, KEY_FILE),
    quotas: quotas ?? (await openCount()),
    onTrouble,
    now: () => now,
  });
const admitted = (ring: KeyRing, key: string) => ring.admit(key).catch(({ status, code }) => status ?? code);

test('a key that is added opens at once, and one that is removed opens no more', async () => {
  const ring = await openRing();
  expect(await admitted(ring, 'mine')).toBe('default');
  const [alice, bob] = [await keys.add('alice', {}), await keys.add('bob', {})];
  expect([await admitted(ring, alice), await admitted(ring, bob)]).toEqual(['alice', 'bob']);
  await keys.remove('alice');
  expect([await admitted(ring, alice), await admitted(ring, bob)]).toEqual([401, 'bob']);
  rmSync(join(folder, KEY_FILE));
  expect([await admitted(ring, bob), await admitted(ring, 'mine')]).toEqual([401, 'default']);
  expect(troubles).toEqual([]);
});

test('the file has no key, and is nobody else’s to read', async () => {
  const key = await keys.add('alice', { quota: { limit: 5, period: 'day' }, rate: 2 });
  const text = readFileSync(join(folder, KEY_FILE), 'utf8');
  expect(text).not.toContain(key);
  expect(text).toContain('alice');
  expect(statSync(join(folder, KEY_FILE)).mode & 0o777).toBe(0o600);
  expect(await keys.list()).toEqual([
    { name: 'alice', quota: { limit: 5, period: 'day' }, rate: 2, createdAt: expect.any(String) },
  ]);
});

test('a file that is damaged opens nothing but the default key, which is told; mended, it is read again', async () => {
  const ring = await openRing();
  const key = await keys.add('alice', {});
  const file = join(folder, KEY_FILE);
  const good = readFileSync(file);
  writeFileSync(file, '{"keys": "none"}');
  expect([await admitted(ring, key), await admitted(ring, 'mine')]).toEqual(['UNAVAILABLE', 'default']);
  expect(troubles).toEqual([expect.stringMatching(/default one.*keys\.json is not what/)]);
  await expect(keys.add('bob', {})).rejects.toThrow(/keys\.json is not what/);
  writeFileSync(file, good);
  expect(await admitted(ring, key)).toBe('alice');
});

test('another file of the same size and time is read, too', async () => {
  const ring = await openRing();
  const file = join(folder, KEY_FILE);
  const [alice] = [await keys.add('alice', {})];
  utimesSync(file, 1, 1);
  expect(await admitted(ring, alice)).toBe('alice');
  await keys.remove('alice');
  const again = await keys.add('alice', {});
  utimesSync(file, 1, 1);
  expect([await admitted(ring, alice), await admitted(ring, again)]).toEqual([401, 'alice']);
});

test('a quota is counted over restarts, and anew in the next day or month', async () => {
  const daily = await keys.add('daily', { quota: { limit: 2, period: 'day' } });
  const monthly = await keys.add('monthly', { quota: { limit: 1, period: 'month' } });
  const count = await openCount();
  const ring = await openRing(count);
  expect(await admitted(ring, daily)).toBe('daily');
  expect(await admitted(ring, monthly)).toBe('monthly');
  await count.close();
  const later = await openRing();
  expect([await admitted(later, daily), await admitted(later, daily)]).toEqual(['daily', 429]);
  const refusal = await later.admit(monthly).catch((error) => error);
  expect(refusal).toMatchObject({ status: 429, detail: 'the 1 requests a month of this key are used up' });
  expect(refusal.headers).toEqual({ 'retry-after': '60' });
  now += 60_000;
  expect([await admitted(later, daily), await admitted(later, monthly)]).toEqual(['daily', 429]);
  now = Date.parse('2026-12-01T00:00:00Z');
  expect(await admitted(later, monthly)).toBe('monthly');
});

test('what quotas counted is kept in memory where it cannot be written, and lost where it is damaged', async () => {
  const key = await keys.add('alice', { quota: { limit: 1, period: 'day' } });
  writeFileSync(join(folder, 'key-usage.json'), '[]');
  const count = await openCount();
  const ring = await openRing(count);
  expect([await admitted(ring, key), await admitted(ring, key)]).toEqual(['alice', 429]);
  expect(troubles).toEqual([expect.stringMatching(/counted anew/)]);
  rmSync(join(folder, 'key-usage.json'));
  chmodSync(folder, 0o500);
  await count.close();
  chmodSync(folder, 0o700);
  expect(await admitted(ring, key)).toBe(429);
});

test('a rate lets twice as many in at once, and then as many as it says', async () => {
  const key = await keys.add('alice', { rate: 2 });
  const ring = await openRing();
  const letIn = async (times: number) => {
    let count = 0;
    for (let i = 0; i < times; i++) if ((await admitted(ring, key)) === 'alice') count++;
    return count;
  };
  expect(await letIn(10)).toBe(4);
  now += 1000;
  expect(await letIn(10)).toBe(2);
  now += 60_000;
  expect(await letIn(10)).toBe(4);
});

test('eight commands at the same time: every key is there', async () => {
  const names = Array.from({ length: 8 }, (_, i) => `key-${i}`);
  await Promise.all(names.map((name) => new FileKeys(folder).add(name, {})));
  expect((await keys.list()).map(({ name }) => name).sort()).toEqual(names);
  await expect(keys.add('key-1', {})).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(keys.remove('key-9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(keys.add('default', {})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});
