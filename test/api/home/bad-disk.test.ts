import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileWakeLog } from '../../../functions/api/home/file-wake-log.js';
import { FolderPredictionStore } from '../../../functions/api/home/folder-prediction-store.js';
import { removeExpired } from '../../../functions/api/home/remove-expired.js';
import { requestRecord, resultRecord } from '../../support/prediction-records.js';
import { ROOT } from '../../support/reference.js';
import { SmallDisk } from '../../support/small-disk.js';

const DAY_MS = 86_400_000;
const scratch = mkdtempSync(join(tmpdir(), 'bad-disk-'));
const disk = SmallDisk.mount(1);
if (!disk) console.warn('bad disks: skipped, this process may not mount one of its own');
afterAll(() => {
  disk?.unmount();
  rmSync(scratch, { recursive: true });
});

describe.skipIf(!disk)('a disk', () => {
  const { path } = disk ?? { path: '' };
  let data: string;
  let store: FolderPredictionStore;
  beforeEach(() => {
    data = mkdtempSync(join(path, 'data-'));
    store = new FolderPredictionStore(data);
  });
  afterEach(() => {
    disk?.allowWrites(true);
    disk?.free();
  });

  test('that is full: what is there is read, what is refused leaves nothing, and there is room again', async () => {
    const [old, young] = [requestRecord(), requestRecord()];
    await store.createRequest(old);
    disk?.fill();
    const before = readdirSync(data, { recursive: true }).sort();
    const full = {
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('the disk is full (ENOSPC)'),
    };
    await expect(store.createRequest(young)).rejects.toMatchObject(full);
    await expect(store.createResult(old.id, resultRecord())).rejects.toMatchObject(full);
    const log = await FileWakeLog.open(join(data, 'wake.json'));
    const record = { started_at: old.created_at, ready_at: null, recent_seconds: [] };
    expect(await log.replace(record, undefined)).toBe(true);
    expect(readdirSync(data, { recursive: true }).sort()).toEqual(before);
    expect(await store.readRequest(old.id)).toEqual(old);
    disk?.free();
    expect(await store.createRequest(young)).toBe(true);
    expect(await store.createResult(old.id, resultRecord())).toBe(true);
  });

  test('that has become read-only: what is there is read, and nothing is removed', async () => {
    const old = requestRecord();
    await store.createRequest(old);
    utimesSync(join(data, 'predictions', old.id), 1, 1);
    disk?.allowWrites(false);
    await expect(store.createResult(old.id, resultRecord())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('the disk is read-only (EROFS)'),
    });
    const troubles: string[] = [];
    const onTrouble = (what: string) => troubles.push(what);
    const sweep = () => removeExpired({ store, retentionMs: DAY_MS, now: Date.now(), onTrouble });
    await sweep();
    expect(troubles).toEqual([`prediction ${old.id} has expired, and stays`]);
    expect(await store.readRequest(old.id)).toEqual(old);
    disk?.allowWrites(true);
    await sweep();
    expect(await store.list()).toEqual([]);
  });
});

test('a folder that is deleted meanwhile is made again; what was in it is not there any more', async () => {
  const data = join(scratch, 'deleted');
  mkdirSync(data);
  const store = new FolderPredictionStore(data);
  const [lost, next] = [requestRecord(), requestRecord()];
  await store.createRequest(lost);
  rmSync(data, { recursive: true });
  expect(await store.readRequest(lost.id)).toBeUndefined();
  expect(await store.list()).toEqual([]);
  expect(await store.createRequest(next)).toBe(true);
  expect(await store.readRequest(next.id)).toEqual(next);
});

/** Opens files until there can be no more, then as few again, and says what the store does in both cases. */
const GREEDY = `
  import { closeSync, openSync } from 'node:fs';
  import { FolderPredictionStore } from ${JSON.stringify(join(ROOT, 'dist/functions/api/home/folder-prediction-store.js'))};
  const store = new FolderPredictionStore(process.argv[1]);
  const [old, young] = JSON.parse(process.argv[2]);
  await store.createRequest(old);
  const open = [];
  try { for (;;) open.push(openSync('/dev/null')); } catch {}
  const asked = [() => store.readRequest(old.id), () => store.createRequest(young), () => store.list()];
  const all = () => Promise.all(asked.map((ask) => ask().then(() => 'done', (error) => error.message)));
  const refused = await all();
  for (const file of open) closeSync(file);
  console.log(JSON.stringify([refused, await all()]));
`;

test.skipIf(process.platform === 'win32')('too many open files are trouble that passes', () => {
  const records = JSON.stringify([requestRecord(), requestRecord()]);
  const command = ['--input-type=module', '-e', GREEDY, '--', join(scratch, 'greedy'), records];
  const limited = 'ulimit -n 300; exec "$@"';
  const { stdout, stderr } = spawnSync('bash', ['-c', limited, 'bash', process.execPath, ...command], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const [refused, then] = JSON.parse(stdout);
  expect(refused).toHaveLength(3);
  for (const message of refused) expect(message).toMatch(/too many files are open \(EMFILE\)$/);
  expect(then).toEqual(['done', 'done', 'done']);
});
