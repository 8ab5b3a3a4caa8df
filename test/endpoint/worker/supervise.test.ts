import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { supervise } from '../../../functions/endpoint/worker/supervise.js';
import { until } from '../../support/until.js';

const scratch = mkdtempSync(join(tmpdir(), 'supervise-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Both are longer than a process takes to start where the machine has much else to do. Milliseconds. */
const HANGS = 6_000;
const PATIENT = 600_000;
/** A sign of life, and its process id in a file. */
const BEGIN = `
  import { writeFileSync } from 'node:fs';
  writeFileSync(process.argv[1] + '.pid', String(process.pid));
  process.send('alive');
  process.channel.unref();
`;
let count = 0;

/** A process that gives a sign of life, and then does this. */
function moduleThat(does: string): { readonly module: URL; readonly pid: () => Promise<number> } {
  const path = join(scratch, `worker-${count++}.mjs`);
  writeFileSync(path, BEGIN + does);
  const pid = async () => {
    let read = '';
    await until('the process has begun', () => {
      read = tryToRead(`${path}.pid`);
      return read !== '';
    });
    return Number(read);
  };
  return { module: pathToFileURL(path), pid };
}

function tryToRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each([0, 1, 7])('the exit status of a worker that ends by itself is handed on: %i', async (status) => {
  const { module } = moduleThat(`process.exit(${status});`);
  expect(await supervise({ module, silenceMs: PATIENT })).toBe(status);
});

test('one that somebody else kills has failed', async () => {
  const { module, pid } = moduleThat('setInterval(() => process.send("alive"), 50);');
  const ended = supervise({ module, silenceMs: PATIENT });
  process.kill(await pid(), 'SIGKILL');
  expect(await ended).toBe(1);
});

test('one that gives signs lives as long as it likes', async () => {
  const { module } = moduleThat(`
    let signs = 0;
    setInterval(() => {
      process.send('alive');
      if (++signs === 100) process.exit(0);
    }, 100);
  `);
  // Its signs last longer than that.
  expect(await supervise({ module, silenceMs: HANGS })).toBe(0);
});

test.each([
  ['an event loop that is never done', 'for (;;);'],
  [
    'an exit that waits for a thread that is lost in native code',
    `
      import { Worker } from 'node:worker_threads';
      new Worker('require("node:child_process").execSync("sleep 60")', { eval: true });
      setTimeout(() => process.exit(1), 500);
    `,
  ],
])('%s: it is ended', async (_, does) => {
  const { module, pid } = moduleThat(does);
  expect(await supervise({ module, silenceMs: HANGS })).toBe(1);
  expect(isAlive(await pid())).toBe(false);
});

test('one that was stopped is ended, too', async () => {
  const { module, pid } = moduleThat('setInterval(() => process.send("alive"), 50);');
  const ended = supervise({ module, silenceMs: HANGS });
  process.kill(await pid(), 'SIGSTOP');
  expect(await ended).toBe(1);
});
