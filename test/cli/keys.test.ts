import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { HomeProcess } from '../support/processes/home-process.js';
import { sdTurbo } from '../support/processes/run-command.js';

const scratch = mkdtempSync(join(tmpdir(), 'cli-keys-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const running: HomeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((home) => home.kill()));
});

const PLACE = ['--data', join(scratch, 'data')];
const keys = (...args: string[]) => sdTurbo(['keys', ...args], scratch);

test('a key is made, used, listed and taken back while the service runs; what others asked for is not there', async () => {
  const home = new HomeProcess([...PLACE, '--verbose'], scratch);
  running.push(home);
  await home.started();
  const added = await keys('add', 'alice', '--quota', '6/day', ...PLACE);
  expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining('alice') });
  const alice = added.stdout.trim();
  expect(alice).toMatch(/^[0-9a-f]{40}$/);
  const bob = (await keys('add', 'bob', '--rate', '50', ...PLACE)).stdout.trim();

  const ask = (path: string, key: string, init: RequestInit = {}) =>
    fetch(home.url + path, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });
  const submit = (key: string) =>
    ask('/predict', key, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async', 'idempotency-key': 'one' },
      body: JSON.stringify({ prompt: 'a tree in a field' }),
    });
  const idOf = async (response: Response) => ((await response.json()) as { id: string }).id;
  const [first, second] = [await idOf(await submit(alice)), await idOf(await submit(bob))];
  expect(first).not.toBe(second);
  const statusOf = async (id: string, key: string) => (await ask(`/predictions/${id}`, key)).status;
  expect([await statusOf(first, alice), await statusOf(second, bob)]).toEqual([200, 200]);
  for (const [id, key] of [
    [first, bob],
    [first, home.key],
    [second, alice],
  ] as const)
    expect(await statusOf(id, key)).toBe(404);

  expect((await ask('/v1/images/generations', `${alice}x`, { method: 'POST' })).status).toBe(401);
  // Three of six are used.
  for (let i = 0; i < 3; i++) expect(await statusOf(first, alice)).toBe(200);
  const spent = await ask(`/predictions/${first}`, alice);
  expect([spent.status, Number(spent.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await spent.json()).toMatchObject({ detail: 'the 6 requests a day of this key are used up' });

  const { stdout } = await keys('list', ...PLACE);
  expect(stdout).toMatch(/^alice {2}6 requests a day, since \d{4}-\d\d-\d\d\nbob {4}50 a second, since /);
  expect(stdout).not.toMatch(/[0-9a-f]{40}/);
  expect(await keys('remove', 'bob', ...PLACE)).toMatchObject({ code: 0, stdout: 'bob is removed\n' });
  expect(await statusOf(second, bob)).toBe(401);
  expect(await keys('remove', '--all', ...PLACE)).toMatchObject({ code: 0, stdout: 'alice is removed\n' });
  expect((await keys('list', '--json', ...PLACE)).stdout).toBe('[]\n');
  for (const secret of [alice, bob]) expect(home.stderr).not.toContain(secret);
});

test.each([
  [['add'], 2, /missing required argument 'NAME'/],
  [['add', 'a b'], 2, /NAME must be up to 48 letters/],
  [['add', 'default'], 2, /default is the key of serve --api-key/],
  [['add', 'x', '--quota', '5/week'], 2, /--quota must be a number per day or month/],
  [['add', 'x', '--quota', '0'], 2, /--quota must be a number per day or month/],
  [['add', 'x', '--rate', '0'], 2, /--rate must be an integer from 1 to 10000/],
  [['remove'], 2, /takes the NAME of a key, or --all/],
  [['remove', 'nobody'], 1, /there is no key nobody/],
  [['list', '--region', 'us-east-1'], 2, /--region goes with --stack-name/],
  [['list', '--stack-name', 'a_b'], 2, /--stack-name must be letters/],
] as const)('keys %j: exit code %d', async (args, code, said) => {
  const place = args.includes('--region' as never) ? [] : ['--data', join(scratch, 'other')];
  const { stdout, ...run } = await keys(...args, ...place);
  expect([run.code, stdout]).toEqual([code, '']);
  expect(run.stderr).toMatch(said);
});
