import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FolderLock } from '../../../functions/home/records/folder-lock.js';
import { ROOT } from '../../support/reference.js';

const STARTS = 8;
const MODULE = join(ROOT, 'dist/functions/home/records/folder-lock.js');
/** Takes the lock as soon as it is told to, says what came of it, and keeps it together with a child of its own. */
const HOLDER = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { FolderLock } from ${JSON.stringify(MODULE)};
  console.log('here');
  await once(process.stdin, 'data');
  const lock = await FolderLock.take(process.argv[1]).catch((error) => error);
  if (!(lock instanceof FolderLock)) console.log(lock.code);
  else {
    const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    console.log('has it ' + child.pid);
    setInterval(() => lock, 1000);
  }
`;

const scratch = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'data-'));
});

const children: ChildProcess[] = [];
const sleepers: number[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of sleepers.splice(0)) process.kill(pid, 'SIGKILL');
});

/** A process that is about to take the lock. */
async function holder() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, '--', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('here');
  return {
    take: async (): Promise<string> => {
      child.stdin.write('now\n');
      const said: string = (await lines.next()).value;
      const pid = /\d+$/.exec(said);
      if (pid) sleepers.push(Number(pid[0]));
      return said.split(' ')[0] as string;
    },
    kill: () =>
      new Promise((resolve) => {
        child.once('close', resolve);
        child.kill('SIGKILL');
      }),
  };
}

const take = () => FolderLock.take(folder);
const refused = (name = folder) => FolderLock.take(name).catch((error) => error);

test('one has it at a time, whatever path leads to the folder; who is refused is told where the other is', async () => {
  const lock = await take();
  expect(await refused()).toMatchObject({ code: 'UNAVAILABLE', retryable: false });
  await lock.announce('http://127.0.0.1:8000');
  const link = join(scratch, 'link');
  symlinkSync(folder, link);
  for (const name of [folder, link, `${folder}/../${folder.split('/').at(-1)}/.`]) {
    const { message } = await refused(name);
    expect(message).toContain(`--data ${name} `);
    expect(message).toContain(`http://127.0.0.1:8000, process ${process.pid}`);
    expect(message).toMatch(/choose another folder with --data/);
  }
  await lock.release();
  await (await take()).release();
});

test('of many that start at once one has it; a kill -9 lets go of it though a child lives on', async () => {
  const holders = await Promise.all(Array.from({ length: STARTS }, holder));
  const said = await Promise.all(holders.map(({ take }) => take()));
  expect(said.filter((word) => word === 'has')).toHaveLength(1);
  expect(said.filter((word) => word === 'UNAVAILABLE')).toHaveLength(STARTS - 1);
  expect(sleepers).toHaveLength(1);
  await holders[said.indexOf('has')]?.kill();
  expect(() => process.kill(sleepers[0] as number, 0)).not.toThrow();
  await (await take()).release();
});

test('what a service that was killed said of itself is not told of the next one', async () => {
  writeFileSync(join(folder, 'service.json'), '{"url": "http://127.0.0.1:1", "pid": 1, "host": "gone"}');
  const lock = await take();
  const { message } = await refused();
  expect(message).not.toContain('gone');
  await lock.release();
});

test.each(['', '{', '{"url": 1}', 'x'.repeat(5_000), '\xff'])(
  'a holder that says %j is just another service',
  async (text) => {
    const lock = await take();
    writeFileSync(join(folder, 'service.json'), text, 'latin1');
    expect((await refused()).message).toContain(`--data ${folder} is used by another service: stop it`);
    await lock.release();
  },
);

test('a folder in the place of the holder is left, and costs the words about it only', async () => {
  const file = join(folder, 'service.json/of-somebody');
  mkdirSync(join(folder, 'service.json'));
  writeFileSync(file, 'hers');
  const lock = await take();
  await lock.announce('http://127.0.0.1:8000');
  expect((await refused()).message).toContain('another service: stop it');
  await lock.release();
  expect(readFileSync(file, 'utf8')).toBe('hers');
});

test('a folder that can have no lock is refused by name', async () => {
  mkdirSync(join(folder, 'lock'));
  expect(await refused()).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining(`--data ${folder} cannot be locked (EISDIR)`),
  });
});
