import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FolderPredictionStore } from '../../../functions/home/records/folder-prediction-store.js';
import { removeExpired } from '../../../functions/home/records/remove-expired.js';
import { requeueUnfinished } from '../../../functions/home/records/requeue-unfinished.js';
import { errorFields } from '../../../functions/shared/error-fields.js';
import type { Message } from '../../../lib/predictions/message-queue.js';
import { entryName, parseEntry } from '../../../lib/predictions/records/owner-index.js';
import { UnreadableRecord } from '../../../lib/predictions/records/unreadable-record.js';
import { requestRecordSchema } from '../../../lib/schemas/prediction.js';
import { requestRecord, resultRecord } from '../../support/predictions/prediction-records.js';
import { storeContract } from '../../support/predictions/store-contract.js';
import { bundleScript } from '../../support/processes/bundle-script.js';
import { ROOT } from '../../support/reference.js';

const DAY_MS = 86_400_000;
const CHANGES = 300;
const scratch = mkdtempSync(join(tmpdir(), 'store-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let folder: string;
let store: FolderPredictionStore;
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'data-'));
  store = new FolderPredictionStore(folder);
});
const fileOf = (id: string, name: string) => join(folder, 'predictions', id, `${name}.json`);

describe('claims and lists', () => {
  storeContract(() => store);
});

describe('records', () => {
  test('are read as they were written, each in a file of its own', async () => {
    const request = requestRecord({ webhook: 'https://example.com/' });
    const webhook = { status: 'failed', attempts: 8, error: 'no' } as const;
    expect(await store.readRequest(request.id)).toBeUndefined();
    expect(await store.createRequest(request)).toBe(true);
    expect(await store.createResult(request.id, resultRecord())).toBe(true);
    expect(await store.createWebhook(request.id, webhook)).toBe(true);
    expect(await store.readRequest(request.id)).toEqual(request);
    expect(await store.readResult(request.id)).toEqual(resultRecord());
    expect(await store.readWebhook(request.id)).toEqual(webhook);
    expect(readdirSync(join(folder, 'predictions', request.id)).sort()).toEqual([
      'request.json',
      'result.json',
      'webhook.json',
    ]);
  });

  test('of 20 writers at once one wins, and its record stays', async () => {
    const { id } = requestRecord();
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
    const won = await Promise.all(seeds.map((seed) => store.createResult(id, resultRecord(seed, 50_000))));
    expect(won.filter(Boolean)).toHaveLength(1);
    const first = seeds[won.indexOf(true)] as number;
    expect(await store.readResult(id)).toEqual(resultRecord(first, 50_000));
    expect(await store.createResult(id, resultRecord(99))).toBe(false);
    expect(await store.readResult(id)).toEqual(resultRecord(first, 50_000));
    expect(readdirSync(join(folder, 'predictions', id))).toEqual(['result.json']);
  });

  test('nobody sees half of one while it is written', async () => {
    const { id } = requestRecord();
    const record = resultRecord(1, 3_000_000);
    const seen = new Set<unknown>();
    const written = store.createResult(id, record).then(() => 'written');
    while ((await Promise.race([written, Promise.resolve('not yet')])) === 'not yet') {
      const result = await store.readResult(id);
      seen.add(result === undefined ? 'none' : isDeepStrictEqual(result, record));
    }
    expect(await store.readResult(id)).toEqual(record);
    expect(seen).toContain('none');
    expect(seen).not.toContain(false);
  });

  test('survive a kill -9 at any moment: whole or not there', async () => {
    const script = await bundleScript(join(ROOT, 'test/support/processes/store-child.ts'));
    for (const delay of [0, 3, 7, 20, 45]) {
      const child = spawn(process.execPath, [script.path, folder]);
      const ended = new Promise((resolve) => child.once('close', resolve));
      let said = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (text) => {
          said += text;
          resolve();
        });
      });
      await pause(delay);
      child.kill('SIGKILL');
      await ended;
      for (const id of said.split('\n').slice(0, -1)) {
        expect(await store.readResult(id)).toEqual(resultRecord(1, 300_000));
      }
    }
    await script.remove();
    const left = await store.list();
    expect(left.length).toBeGreaterThanOrEqual(5);
    for (const { id, records } of left) {
      if (records.has('request')) expect(await store.readRequest(id)).toMatchObject({ id });
      if (records.has('result')) expect(await store.readResult(id)).toMatchObject({ status: 'succeeded' });
    }
  });
});

describe('what is wrong', () => {
  test.each([
    '',
    '.',
    '..',
    '../../etc',
    'A'.repeat(32),
    'a'.repeat(31),
    `${'a'.repeat(31)}/`,
    'a/'.repeat(16),
  ])('id %j becomes no path', async (id) => {
    await expect(store.readRequest(id)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(store.createRequest(requestRecord({ id }))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(store.remove(id)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ['not JSON', '{"status":'],
    ['another record', '{"status": "succeeded"}'],
  ])('a file that is %s is named', async (_, text) => {
    const { id } = requestRecord();
    mkdirSync(join(folder, 'predictions', id), { recursive: true });
    writeFileSync(fileOf(id, 'result'), text);
    const error = await store.readResult(id).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('result.json') });
    expect(error.message).toContain(id);
  });

  test('bytes of any kind are a record or are named, and nothing of them is told', async () => {
    const request = requestRecord({ caller: 'private' });
    const good = Buffer.from(JSON.stringify(request));
    const file = fileOf(request.id, 'request');
    mkdirSync(dirname(file), { recursive: true });
    const kinds = { read: 0, damaged: 0 };
    const change = fc.tuple(fc.nat(good.length), fc.nat(20), fc.uint8Array({ maxLength: 20 }));
    const run = async ([at, gone, put]: [number, number, Uint8Array]) => {
      writeFileSync(file, Buffer.concat([good.subarray(0, at), put, good.subarray(at + gone)]));
      const record = await store.readRequest(request.id).catch((error) => {
        if (!(error instanceof UnreadableRecord)) throw error;
        const told = String(errorFields(error)['error']);
        expect(told).toContain(request.id);
        expect(told).not.toContain('private');
      });
      kinds[record ? 'read' : 'damaged']++;
      if (record) expect(requestRecordSchema.parse(record)).toEqual(record);
    };
    await fc.assert(fc.asyncProperty(change, run), { numRuns: CHANGES });
    expect(kinds.damaged).toBeGreaterThan(CHANGES / 2);
  });

  test('a file of a gigabyte is not read', async () => {
    const request = requestRecord();
    await store.createRequest(request);
    truncateSync(fileOf(request.id, 'request'), 2 ** 30);
    await expect(store.readRequest(request.id)).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  test('a disk that refuses is trouble that may pass, and no path is told', async () => {
    writeFileSync(join(folder, 'predictions'), 'a file where a folder should be');
    const thrown = await Promise.all([
      store.createRequest(requestRecord()).catch((error) => error),
      store.readResult(requestRecord().id).catch((error) => error),
      store.list().catch((error) => error),
    ]);
    for (const error of thrown) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      expect(error.message).not.toContain(folder);
    }
  });
});

const OWNER = '0'.repeat(32);

test('a folder that is not there is empty', async () => {
  expect(await new FolderPredictionStore(join(folder, 'none')).list()).toEqual([]);
});

test('what expired a day ago is removed, and nothing else', async () => {
  const [old, expired, young] = [requestRecord(), requestRecord(), requestRecord()];
  for (const record of [old, expired, young]) await store.createRequest(record);
  const now = Date.now();
  const age = (id: string, days: number) => {
    const then = new Date(now - days * DAY_MS);
    utimesSync(join(folder, 'predictions', id), then, then);
  };
  age(old.id, 2.01);
  age(expired.id, 1.99);
  for (const [{ id }, days] of [
    [old, 2.01],
    [expired, 1.99],
  ] as const)
    await store.enlist(
      OWNER,
      entryName(requestRecord({ id, created_at: new Date(now - days * DAY_MS).toISOString() })),
    );
  mkdirSync(join(folder, 'predictions', 'not-ours'));
  const onTrouble = (what: string) => expect.unreachable(what);
  await removeExpired({ store, retentionMs: DAY_MS, now, onTrouble });
  expect(existsSync(fileOf(old.id, 'request'))).toBe(false);
  expect((await store.listOwned(OWNER, 9)).map((name) => parseEntry(name)?.id)).toEqual([expired.id]);
  // It is still known to have expired.
  expect(await store.readRequest(expired.id)).toEqual(expired);
  expect(await store.readRequest(young.id)).toEqual(young);
  expect(readdirSync(join(folder, 'predictions'))).toContain('not-ours');
});

test('a restart finds what is unfinished, oldest first, and what is broken does not stop it', async () => {
  const webhook = 'https://example.com/';
  const records = {
    waiting: requestRecord(),
    drawn: requestRecord(),
    untold: requestRecord({ webhook }),
    told: requestRecord({ webhook }),
    broken: requestRecord({ webhook }),
    later: requestRecord(),
  };
  for (const record of Object.values(records)) await store.createRequest(record);
  for (const { id } of [records.drawn, records.untold, records.told, records.broken])
    await store.createResult(id, resultRecord());
  await store.createWebhook(records.told.id, { status: 'delivered', attempts: 1 });
  writeFileSync(fileOf(records.broken.id, 'request'), '{}');
  for (const [index, { id }] of Object.values(records).entries())
    utimesSync(join(folder, 'predictions', id), index + 1, index + 1);
  const sent: Message[] = [];
  const troubles: string[] = [];
  const send = async (message: Message) => void sent.push(message);
  await requeueUnfinished(store, { send }, (what) => troubles.push(what));
  expect(sent).toEqual([
    { kind: 'predict', id: records.waiting.id, failures: 0 },
    { kind: 'webhook', id: records.untold.id, attempts: 0 },
    { kind: 'predict', id: records.later.id, failures: 0 },
  ]);
  expect(troubles).toEqual([expect.stringContaining(records.broken.id)]);
});
