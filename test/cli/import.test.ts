import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import {
  type HubFault,
  type HubRequestSeen,
  type HuggingFaceServer,
  startHuggingFaceServer,
} from '../support/hugging-face-server.js';
import { ROOT } from '../support/reference.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';
import { makeBucket } from '../support/weights/s3-objects.js';

const MODEL = join(ROOT, 'lib/demo-model/model');
const REPO = 'someone/demo-model';
const TOKEN = 'hf_doNotTellAnyone';

const scratch = mkdtempSync(join(tmpdir(), 'cli-import-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));

let hub: HuggingFaceServer;
let fault: ((request: HubRequestSeen) => HubFault | undefined) | undefined;
beforeAll(async () => {
  const faultFor = (request: HubRequestSeen) => fault?.(request);
  hub = await startHuggingFaceServer({ repo: REPO, folder: MODEL, token: TOKEN, faultFor });
});
afterAll(() => hub.stop());

interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Nothing of this machine's own configuration reaches the command. */
function start(args: readonly string[], cwd: string, variables: Record<string, string> = {}): Running {
  const env = {
    PATH: process.env['PATH'],
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: 'true',
    HF_ENDPOINT: hub.endpoint,
    ...variables,
  };
  const child = spawn(process.execPath, [join(ROOT, 'lib/cli/sd-turbo.mjs'), ...args], {
    cwd,
    env,
    timeout: 50_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const finished = new Promise<Awaited<Running['finished']>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

const run = (...args: Parameters<typeof start>) => start(...args).finished;

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 1000) throw new Error('it did not happen within 30 s');
    await wait(30);
  }
}

describe('import from Hugging Face', () => {
  const args = ['import', '--from', `hf:${REPO}`, '--to', 'bundle'];

  test('uses HF_ENDPOINT and HF_TOKEN, and shows no token', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await run([...args, '--revision', hub.commit], cwd, {
      HF_TOKEN: ` ${TOKEN}\n`,
    });
    expect([code, stdout]).toEqual([0, 'bundle\n']);
    expect(stderr).toMatch(/^importing 100 %, \d+ MB of \d+ MB/m);
    expect(stderr).toMatch(/\ndraw with it: npx sd-turbo generate ".*" --model bundle\n$/);
    expect(stdout + stderr).not.toContain(TOKEN);
    const text = readFileSync(join(cwd, 'bundle/manifest.json'), 'utf8');
    expect(JSON.parse(text).source).toEqual({ repo: REPO, revision: hub.commit });
    expect(text).not.toContain(TOKEN);
    expect(readdirSync(cwd)).toEqual(['bundle']);
  });

  test.each([
    ['no token', {}, /^sd-turbo: hf:.*is gated: accept its licence on http.* and set HF_TOKEN/],
    ['a token of another', { HF_TOKEN: 'hf_ofAnother' }, /the account of HF_TOKEN has no access/],
  ])('a gated repository: %s', async (_, variables, message) => {
    const cwd = folder();
    const { code, stdout, stderr } = await run(args, cwd, variables);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('hf_ofAnother');
    expect(readdirSync(cwd)).toEqual([]);
  });

  test.each([
    ['a token that is none', { HF_TOKEN: 'hf_with a space' }, 'token'],
    ['an endpoint that is none', { HF_ENDPOINT: 'nowhere' }, 'endpoint'],
  ])('%s is wrong usage', async (_, variables, named) => {
    const { code, stderr } = await run(args, folder(), variables);
    expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
    expect(stderr).not.toContain('hf_with');
  });

  test.each([
    ['a new directory', false],
    ['one that exists', true],
  ])('Ctrl-C cleans up; a kill does not, but the next import goes on from there: %s', async (_, exists) => {
    const cwd = folder();
    if (exists) mkdirSync(join(cwd, 'bundle'));
    const parent = exists ? join(cwd, 'bundle') : cwd;
    const variables = { HF_TOKEN: TOKEN };
    const unet = 'unet/diffusion_pytorch_model.safetensors';
    const partial = () => readdirSync(parent).find((name) => name.includes('.partial-'));
    const isHanging = () => partial() !== undefined && existsSync(join(parent, partial() ?? '', unet));
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      // The header of the weights comes from there too.
      let headers = 2;
      fault = ({ host, url }) =>
        host === 'cdn' && url.startsWith('/vae/') && headers-- <= 0 ? { kind: 'hang' } : undefined;
      const { child, finished } = start(args, cwd, variables);
      await until(isHanging);
      child.kill(signal);
      const { code, stderr } = await finished;
      expect(code).toBe(signal === 'SIGINT' ? 1 : null);
      if (signal === 'SIGINT') expect(stderr).toContain('sd-turbo: stopped by SIGINT');
      expect(partial() === undefined).toBe(signal === 'SIGINT');
      expect(existsSync(join(cwd, 'bundle'))).toBe(exists);
    }
    fault = undefined;
    const before = hub.requests.length;
    expect((await run(args, cwd, variables)).code).toBe(0);
    expect([readdirSync(cwd), partial()]).toEqual([['bundle'], undefined]);
    const fetched = hub.requests
      .slice(before)
      .filter(({ host, headers }) => host === 'cdn' && Number(headers.range?.split('-')[1]) > 200_000);
    const paths = fetched.map(({ url }) => url.split('?')[0]);
    // Of the UNet, which was there, the kernels are read again whose sums are made.
    expect(new Set(paths)).toEqual(new Set(['/vae/diffusion_pytorch_model.safetensors', `/${unet}`]));
  });
});

describe.skipIf(motoIsAbsent())('S3', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMotoServer();
    const client = createS3Client(motoClientConfig(moto.url));
    await makeBucket(client, 'models');
    client.destroy();
  });
  afterAll(() => moto.stop());
  const variables = () => ({
    AWS_ENDPOINT_URL: moto.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });

  test('a bundle is brought there and drawn with from there, from the cache the second time', async () => {
    const cwd = folder();
    const made = await run(['import', '--from', MODEL, '--to', 's3://models/demo'], cwd, variables());
    expect([made.code, made.stdout]).toEqual([0, 's3://models/demo\n']);
    const draw = ['generate', 'a tree', '--seed', '1', '--model', 's3://models/demo'];
    for (const out of ['first.png', 'second.png'])
      expect(
        (await run([...draw, '--out', out], cwd, { ...variables(), XDG_CACHE_HOME: join(cwd, 'cache') }))
          .code,
      ).toBe(0);
    expect((await run(['generate', 'a tree', '--seed', '1', '--out', 'here.png'], cwd)).code).toBe(0);
    const [first, second, here] = ['first.png', 'second.png', 'here.png'].map((name) =>
      readFileSync(join(cwd, name)),
    );
    expect(first?.equals(second as Buffer)).toBe(true);
    expect(first?.equals(here as Buffer)).toBe(true);
    expect(readdirSync(join(cwd, 'cache/sd-turbo'))).toHaveLength(1);
  });

  test.each([
    ['no region', { AWS_REGION: '' }, /^sd-turbo: no AWS region is set: set AWS_REGION/m],
    [
      'no credentials',
      { AWS_ACCESS_KEY_ID: '' },
      /^sd-turbo: no AWS credentials were found: set AWS_PROFILE/m,
    ],
  ])('%s is one line that says what to set', async (_, change, message) => {
    const { code, stderr } = await run(['import', '--from', MODEL, '--to', 's3://models/x'], folder(), {
      ...variables(),
      ...change,
    });
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});
