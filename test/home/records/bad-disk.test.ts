import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileWakeLog } from '../../../functions/home/records/file-wake-log.js';
import { FolderPredictionStore } from '../../../functions/home/records/folder-prediction-store.js';
import { removeExpired } from '../../../functions/home/records/remove-expired.js';
import { requestRecord, resultRecord } from '../../support/predictions/prediction-records.js';
import { ROOT } from '../../support/reference.js';
import { SmallDisk } from '../../support/weights/small-disk.js';

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

const NOBODY = 65_534;
const asOther = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
/** A checkout below root's own folder is for root only. */
const otherMayRead =
  spawnSync(process.execPath, ['-e', 'fs.accessSync(process.argv[1])', ROOT], asOther).status === 0;
if (!otherMayRead) console.warn('denied access: skipped, nobody but root may read this checkout');
/** Root is denied nothing: this runs as somebody else, and says what the store and the queue of a start have of three predictions. */
const DENIED = `
  import { chmodSync } from 'node:fs';
  import { FolderPredictionStore } from ${JSON.stringify(join(ROOT, 'dist/functions/home/records/folder-prediction-store.js'))};
  import { removeExpired } from ${JSON.stringify(join(ROOT, 'dist/functions/home/records/remove-expired.js'))};
  import { requeueUnfinished } from ${JSON.stringify(join(ROOT, 'dist/functions/home/records/requeue-unfinished.js'))};
  const [folder, text] = process.argv.slice(1);
  const records = JSON.parse(text);
  const store = new FolderPredictionStore(folder);
  for (const record of records) await store.createRequest(record);
  await store.createResult(records[1].id, JSON.parse(process.argv[3]));
  const closed = [folder + '/predictions/' + records[0].id, folder + '/predictions/' + records[1].id + '/request.json'];
  for (const path of closed) chmodSync(path, 0);
  const troubles = [], sent = [];
  const onTrouble = (what, error) => troubles.push(error.message);
  await requeueUnfinished(store, { send: async ({ kind, id }) => sent.push([kind, id]) }, onTrouble);
  const read = () => Promise.all(records.map(({ id }) => store.readRequest(id).then((record) => record?.id ?? 'none', (error) => error.code)));
  const denied = await read();
  await removeExpired({ store, retentionMs: 0, now: Date.now() + 2 * 86_400_000, onTrouble });
  const left = (await store.list()).map(({ id }) => id);
  for (const path of closed) try { chmodSync(path, 0o700); } catch {}
  console.log(JSON.stringify({ sent, denied, troubles, left, then: await read() }));
`;

test.skipIf(process.platform === 'win32' || !otherMayRead)(
  'access that is denied costs its own prediction, while it is denied',
  () => {
    const records = [requestRecord(), requestRecord(), requestRecord()];
    const [closed, half, open] = records.map(({ id }) => id);
    const folder = join(scratch, 'denied');
    mkdirSync(folder);
    chmodSync(scratch, 0o755);
    chmodSync(folder, 0o777);
    const args = [folder, JSON.stringify(records), JSON.stringify(resultRecord())];
    const command = ['--input-type=module', '-e', DENIED, '--', ...args];
    const { stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', ...asOther });
    expect(stderr).toBe('');
    const { sent, denied, troubles, left, then } = JSON.parse(stdout);
    // Each is worked on until it can be read.
    expect(sent.sort()).toEqual([closed, half, open].map((id) => ['predict', id]).sort());
    expect(denied).toEqual(['UNAVAILABLE', 'UNAVAILABLE', open]);
    expect(troubles).toEqual([
      expect.stringContaining(`prediction ${closed} cannot be removed: access is denied`),
    ]);
    expect(left).toEqual([closed]);
    // The others have expired, and are gone.
    expect(then).toEqual([closed, 'none', 'none']);
  },
);

/** Opens files until there can be no more, then as few again, and says what the store does in both cases. */
const GREEDY = `
  import { closeSync, openSync } from 'node:fs';
  import { FolderPredictionStore } from ${JSON.stringify(join(ROOT, 'dist/functions/home/records/folder-prediction-store.js'))};
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
