import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type HubFault,
  type HubRequestSeen,
  type HuggingFaceServer,
  startHuggingFaceServer,
} from '../support/hugging-face-server.js';
import { HomeProcess } from '../support/processes/home-process.js';
import type { Finished } from '../support/processes/run-command.js';
import { REFERENCE, ROOT } from '../support/reference.js';
import { until } from '../support/until.js';
import { PADDED_FILE, writePaddedCheckpoint } from '../support/weights/padded-checkpoint.js';
import { SmallDisk } from '../support/weights/small-disk.js';

const REPO = 'stabilityai/sd-turbo';
const MODEL = `hf:${REPO}`;
const FOLDER = 'hf%3Astabilityai%2Fsd-turbo';
const MIB = 2 ** 20;
/** Of a download. */
const CHUNK = 16 * MIB;
const GENERATE = ['generate', 'a tree', '--seed', '1', '--out', 'a.png', '--model'];
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

const scratch = mkdtempSync(join(tmpdir(), 'cli-hub-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));

let hub: HuggingFaceServer;
let fault: ((request: HubRequestSeen) => HubFault | undefined) | undefined;
beforeAll(async () => {
  const checkpoint = join(scratch, 'checkpoint');
  writePaddedCheckpoint(checkpoint, 5.5 * CHUNK);
  const faultFor = (request: HubRequestSeen) => fault?.(request);
  hub = await startHuggingFaceServer({ repo: REPO, folder: checkpoint, faultFor });
});
afterAll(() => hub.stop());
afterEach(() => {
  fault = undefined;
});

interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
}

function environment(cwd: string, variables: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: cwd, HF_ENDPOINT: hub.endpoint, ...variables };
}

/** Nothing of this machine's own configuration reaches the command. */
function start(args: readonly string[], cwd: string, variables: Record<string, string> = {}): Running {
  const command = [join(ROOT, 'lib/cli/sd-turbo.mjs'), ...args];
  const child = spawn(process.execPath, command, { cwd, env: environment(cwd, variables), timeout: 50_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, stderr: () => stderr, finished };
}

const run = (...args: Parameters<typeof start>) => start(...args).finished;
const cacheOf = (cwd: string) => join(cwd, '.cache/sd-turbo');
const cached = (cwd: string) => readdirSync(cacheOf(cwd)).filter((name) => !name.startsWith('.'));

/** Chunks of the largest file that were asked for; its header is asked for, too. */
function fetchedChunks(since: number): number[] {
  const ranges = hub.requests
    .slice(since)
    .filter(({ host, url }) => host === 'cdn' && url.startsWith(`/${PADDED_FILE}`))
    .map(({ headers }) => headers.range?.match(/\d+/g)?.map(Number) ?? []);
  return ranges.filter(([first = 0, last = 0]) => last - first > 4 * MIB).map(([first = 0]) => first / CHUNK);
}

describe('the first run brings it', () => {
  const cwd = folder();
  const offline = { HF_ENDPOINT: NOWHERE };
  let first: Finished;
  beforeAll(async () => {
    first = await run([...GENERATE, MODEL], cwd);
  }, 60_000);

  test('and says so in bytes', () => {
    expect([first.code, first.stdout, first.stderr]).toEqual([0, 'a.png\n', expect.anything()]);
    const [begin, , ...more] = first.stderr.split('\n');
    expect(begin).toBe(`${MODEL} is not here yet: it comes into ${join(cacheOf(cwd), FOLDER)}, once`);
    expect(more.join('\n')).toMatch(/^downloading hf:stabilityai\/sd-turbo 50 %, \d+ MB of 103 MB/m);
    expect(cached(cwd)).toEqual([FOLDER]);
    const picture = readFileSync(join(cwd, 'a.png'));
    expect(picture.includes(`tEXtmodel\0${REPO}@${hub.commit}`)).toBe(true);
  });

  test.each([MODEL, `https://huggingface.co/${REPO}`, `hf.co/${REPO}`])(
    'later ones draw with it, without the hub: %s',
    async (place) => {
      const { code, stderr } = await run([...GENERATE, place], cwd, offline);
      expect([code, stderr]).toEqual([0, 'loading the model\ndrawing in 1 step\n']);
    },
  );

  test('bench measures with it', async () => {
    const { stdout } = await run(['bench', '--runs', '1', '--json', '--model', MODEL], cwd, offline);
    expect(JSON.parse(stdout).model).toBe(`${REPO}@${hub.commit}`);
  });

  test('serve draws with it', async () => {
    const args = ['--data', join(cwd, 'data'), '--model', MODEL];
    const service = new HomeProcess(args, cwd, ROOT, { env: environment(cwd, offline) });
    try {
      await service.started();
      const health = await (await service.fetch('/health')).json();
      expect(health).toMatchObject({ state: 'ready', model: `${REPO}@${hub.commit}` });
    } finally {
      await service.kill();
    }
  });

  test('a picture can begin with one: the encoder has come along', async () => {
    const { code, stderr } = await run([...GENERATE, MODEL, '--image', 'a.png'], cwd, offline);
    expect([code, stderr]).toEqual([0, expect.stringContaining('drawing in 2 steps')]);
  });
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'after %s the next run goes on with the chunks that have come',
  async (signal) => {
    const cwd = folder();
    // The last chunk of the largest file never comes.
    const last = 5 * CHUNK;
    fault = ({ host, url, headers }) =>
      host === 'cdn' && url.startsWith(`/${PADDED_FILE}`) && headers.range?.startsWith(`bytes=${last}-`)
        ? { kind: 'hang' }
        : undefined;
    const { child, finished } = start([...GENERATE, MODEL], cwd);
    const journal = () => {
      const partial = existsSync(cacheOf(cwd)) ? cached(cwd)[0] : undefined;
      const path = join(cacheOf(cwd), partial ?? '', `${PADDED_FILE}.chunks`);
      return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    };
    await until('all chunks but one are there', () => journal().length === 6);
    child.kill(signal);
    const { code, stderr } = await finished;
    expect(code).toBe(signal === 'SIGINT' ? 1 : null);
    if (signal === 'SIGINT')
      expect(stderr).toContain(
        'sd-turbo: --model hf:stabilityai/sd-turbo: stopped by SIGINT: the next run goes on',
      );
    const models = await run(['models'], cwd);
    expect(models.stdout).toMatch(
      /^hf:stabilityai\/sd-turbo +\d+ MB +unfinished: the next run goes on with it\n/,
    );
    fault = undefined;
    const before = hub.requests.length;
    expect((await run([...GENERATE, MODEL], cwd)).code).toBe(0);
    expect(fetchedChunks(before)).toEqual([5]);
    expect(cached(cwd)).toEqual([FOLDER]);
  },
);

test('of two at once one brings it, and the other waits for it', async () => {
  const cwd = folder();
  const before = hub.requests.length;
  const both = await Promise.all(
    ['a.png', 'b.png'].map((out) => run([...GENERATE, MODEL, '--out', out], cwd)),
  );
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(
    both.filter(({ stderr }) => stderr.includes(`${MODEL} is on its way here for another run`)),
  ).toHaveLength(1);
  expect(fetchedChunks(before).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(readFileSync(join(cwd, 'a.png')).equals(readFileSync(join(cwd, 'b.png')))).toBe(true);
});

test('who waits for one that is killed goes on with what that has left', async () => {
  const cwd = folder();
  fault = ({ host, url }) => (host === 'cdn' && url.startsWith('/vae/') ? { kind: 'hang' } : undefined);
  const first = start([...GENERATE, MODEL], cwd);
  await until('it has begun', () => first.stderr().includes('is not here yet'));
  const second = start([...GENERATE, MODEL], cwd);
  await until('it waits', () => second.stderr().includes('waiting for it'));
  fault = undefined;
  first.child.kill('SIGKILL');
  expect((await second.finished).code).toBe(0);
});

test('without a network one line says so at once, retries are told, and the end says what can be done', async () => {
  const cwd = folder();
  const { child, stderr, finished } = start([...GENERATE, MODEL], cwd, {
    HF_ENDPOINT: 'http://127.0.0.1:39999',
  });
  await until('it is told', () => /: ECONNREFUSED: trying again\n/.test(stderr()));
  expect(stderr().match(/trying again/g)).toHaveLength(1);
  child.kill('SIGINT');
  expect((await finished).code).toBe(1);
  expect(cached(cwd)).toEqual([]);
});

test.each([
  ['hf:stabilityai', 2, 'is not of the form hf:OWNER/NAME'],
  ['hf:someone/nothing', 1, 'hf:someone/nothing does not exist: check the name'],
  [`hf:${REPO}@none`, 1, `hf:${REPO} has no revision none`],
  [REPO, 1, `did you mean the repository ${MODEL}?`],
])('--model %s', async (place, exit, message) => {
  const cwd = folder();
  const { code, stdout, stderr } = await run([...GENERATE, place], cwd);
  expect([code, stdout, stderr.trim().split('\n').at(-1)]).toEqual([
    exit,
    '',
    expect.stringContaining(message),
  ]);
});

test('a revision is a model of its own', async () => {
  const cwd = folder();
  const { code } = await run([...GENERATE, `hf:${REPO}@v1`], cwd);
  expect([code, cached(cwd)]).toEqual([0, [`${FOLDER}%40v1`]]);
});

test('sd-turbo models lists what there is, and removes it', async () => {
  const cwd = folder();
  expect((await run(['models'], cwd)).stdout).toMatch(/^Nothing is in .*--model hf:stabilityai\/sd-turbo/);
  await run([...GENERATE, MODEL], cwd);
  const listed = (await run(['models'], cwd)).stdout;
  expect(listed).toMatch(
    new RegExp(`^${MODEL} +\\d+ MB  ${REPO}@${hub.commit}, standard float32, vae, encoder\n\\d+ MB in `),
  );
  const { stdout } = await run(['models', 'list', '--json'], cwd);
  const folders = [join(cacheOf(cwd), FOLDER)];
  expect(JSON.parse(stdout)).toEqual([
    { place: MODEL, model: `${REPO}@${hub.commit}`, whole: true, bytes: expect.any(Number), folders },
  ]);
  const nothing = await run(['models', 'remove', 'hf:someone/nothing'], cwd);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('is not cached')]);
  expect((await run(['models', 'remove'], cwd)).code).toBe(2);
  const removed = await run(['models', 'remove', `https://huggingface.co/${REPO}`], cwd);
  expect([removed.code, removed.stdout]).toEqual([
    0,
    expect.stringMatching(/^hf:stabilityai\/sd-turbo is removed: \d+ MB\n$/),
  ]);
  expect(cached(cwd)).toEqual([]);
});

const disk = SmallDisk.mount(40);
afterAll(() => disk?.unmount());
test.skipIf(!disk)('a disk that is too small is told before anything is fetched', async () => {
  const before = hub.requests.length;
  const { code, stderr } = await run([...GENERATE, MODEL], folder(), {
    XDG_CACHE_HOME: disk?.path as string,
  });
  expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
    1,
    expect.stringMatching(
      /^sd-turbo: --model hf:stabilityai\/sd-turbo: not enough (disk space|memory) for \S+: \d+ MB more are needed, \d+ MB are free; "sd-turbo models" tells what could go, XDG_CACHE_HOME names another disk$/,
    ),
  ]);
  expect(fetchedChunks(before)).toEqual([]);
});

const TINY = ['tiny-turbo', 'tiny-turbo-taesd'].map((name) => join(REFERENCE, 'checkpoints', name)) as [
  string,
  string,
];
describe.skipIf(!TINY.every(existsSync))('with the TAESD of its latents', () => {
  test('it comes along', async () => {
    const beside = { repo: 'madebyollin/taesd', folder: TINY[1] };
    const server = await startHuggingFaceServer({ repo: REPO, folder: TINY[0], beside });
    try {
      const cwd = folder();
      const variables = { HF_ENDPOINT: server.endpoint };
      const { code, stderr } = await run([...GENERATE, MODEL, '--decoder', 'taesd'], cwd, variables);
      expect([code, stderr]).toEqual([0, expect.stringContaining('drawing in 1 step')]);
      expect((await run(['models'], cwd)).stdout).toContain('vae, taesd, encoder');
    } finally {
      await server.stop();
    }
  });
});
