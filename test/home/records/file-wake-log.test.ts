import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FileWakeLog } from '../../../functions/home/records/file-wake-log.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';

const scratch = mkdtempSync(join(tmpdir(), 'wakes-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(scratch, 'data-')), 'new/wake.json');
});

const [started, ready] = ['2026-11-23T12:00:00.000Z', '2026-11-23T12:00:07.000Z'];
const waking = { started_at: started, ready_at: null, recent_seconds: [7] };
const awake = { started_at: started, ready_at: ready, recent_seconds: [7] };

test('a write must know what it replaces', async () => {
  const log = await FileWakeLog.open(file);
  expect(await log.read()).toBeUndefined();
  expect(await log.replace(waking, '0')).toBe(false);
  expect(await log.replace(waking, undefined)).toBe(true);
  expect(await log.replace(awake, undefined)).toBe(false);
  const version = (await log.read())?.version;
  expect(await log.replace(awake, version)).toBe(true);
  expect(await log.replace(waking, version)).toBe(false);
  expect((await log.read())?.record).toEqual(awake);
});

test('of two that write at once one wins', async () => {
  const log = await FileWakeLog.open(file);
  expect(await Promise.all([log.replace(awake, undefined), log.replace(waking, undefined)])).toEqual([
    true,
    false,
  ]);
});

test('the estimate survives a restart; a wake that was under way does not: its child has ended too', async () => {
  await (await FileWakeLog.open(file)).replace(waking, undefined);
  const log = await FileWakeLog.open(file);
  expect((await log.read())?.record.recent_seconds).toEqual([7]);
  let wakes = 0;
  const wake = async () => void wakes++;
  const endpoint = {
    wake,
    state: async () => ({ state: wakes > 0 ? ('waking' as const) : ('asleep' as const) }),
  };
  // A second after the first process asked for a wake.
  const waker = new Waker({ endpoint, log, now: () => Date.parse(started) + 1000 });
  expect(await waker.wake()).toBe(true);
  expect(wakes).toBe(1);
  expect(await waker.health()).toMatchObject({ state: 'waking', estimate: 7 });
});

test.each(['', '{"started_at":', '{"started_at": "yesterday"}', '[]'])(
  'a file that is %j is no record',
  async (text) => {
    const broken = join(mkdtempSync(join(scratch, 'broken-')), 'wake.json');
    writeFileSync(broken, text);
    const log = await FileWakeLog.open(broken);
    expect(await log.read()).toBeUndefined();
    await log.replace(awake, undefined);
    expect((await (await FileWakeLog.open(broken)).read())?.record).toEqual(awake);
  },
);

test('a file that cannot be written costs the estimate of the next start only', async () => {
  const log = await FileWakeLog.open(join(scratch, '\0'));
  expect(await log.replace(awake, undefined)).toBe(true);
  expect((await log.read())?.record).toEqual(awake);
});
