import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { FileKeys } from '../../lib/keys/file-keys.js';
import { contract } from '../api/contract/contract.js';
import { MARKER, type Setting } from '../api/contract/setting.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { pythonIsAbsent, runTrussClient } from '../support/processes/truss-client.js';

const KEY = `mine-${MARKER}`;
const DAY_MS = 86_400_000;

const scratch = mkdtempSync(join(tmpdir(), 'home-contract-'));
const started: HomeProcess[] = [];
afterAll(async () => {
  await Promise.all(started.map((home) => home.kill()));
  rmSync(scratch, { recursive: true });
});

contract('`sd-turbo serve`, over a socket', async (): Promise<Setting> => {
  const home = new HomeProcess(['--api-key', KEY, '--data', join(scratch, 'data'), '--verbose'], scratch);
  started.push(home);
  await home.started();
  const other = await new FileKeys(join(scratch, 'data')).add('other', {});
  // Its own words to the one who has started it: they have the key.
  const welcome = home.stdout;
  return {
    send: fetch,
    baseUrl: home.url,
    credentials: { authorization: `Api-Key ${KEY}` },
    stranger: { 'x-api-key': other },
    checksKeys: true,
    side: 512,
    expire: async (id) => {
      const file = join(scratch, 'data/predictions', id, 'request.json');
      const created_at = new Date(Date.now() - DAY_MS - 1000).toISOString();
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), created_at }));
    },
    output: () => home.stderr + home.stdout.slice(welcome.length),
    stop: async () => undefined,
  };
});

test('--verbose: every line is a JSON object, and a request has one of the API', () => {
  const lines = (started[0]?.stderr ?? '').trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as { message: string; request_id?: string });
  const requests = entries.filter(({ message }) => message === 'request').map(({ request_id }) => request_id);
  expect(requests.length).toBeGreaterThan(50);
  expect(entries.map(({ message }) => message)).toContain('the endpoint is ready');
});

test.skipIf(pythonIsAbsent())("the Truss example's own client works", async () => {
  const file = join(scratch, 'truss.png');
  await runTrussClient(started[0]?.url ?? '', KEY, file);
  expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 512, height: 512 });
});
