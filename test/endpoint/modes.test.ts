import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Finished } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const SERVER = join(ROOT, 'dist/functions/endpoint/server.js');
const DEMO = join(ROOT, 'lib/demo-model/bundle');
/** Of a signal's id. Characters. */
const MAX_ID = 64;
const scratch = mkdtempSync(join(tmpdir(), 'modes-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(
  args: readonly string[],
  MODEL_URI: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SERVER, ...args], {
      env: { ...process.env, ...settings, MODEL_URI },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('server.mjs self-test', () => {
  test('a model that draws what it should: 0, with the seconds of each phase', async () => {
    const { code, stdout, stderr } = await run(['self-test'], DEMO);
    expect(code, stderr).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toMatch(/the self-test has passed.*"loading":\d.*"warming":\d/);
  });

  test('one that does not: 1, and the reason in the last line of stderr', async () => {
    const broken = join(scratch, 'broken');
    cpSync(DEMO, broken, { recursive: true });
    const file = join(broken, 'unet/diffusion_pytorch_model.safetensors');
    const weights = readFileSync(file);
    writeFileSync(file, weights.fill(0, weights.length / 2));
    const { code, stderr } = await run(['self-test'], broken);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^(the picture's|the \w+ network gave)/);
  });

  test.each([
    ['no bundle', join(scratch, 'nothing'), /^there is no directory .*nothing$/],
    ['a variable that is not set', '', /^environment variable MODEL_URI/],
  ])('%s: 1, and the reason', async (_, place, reason) => {
    const { code, stderr } = await run(['self-test'], place);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(reason);
  });

  test('of what CloudFormation shows, the reason comes first: names as long as AWS makes them do not', async () => {
    const refused =
      '<Error><Code>AccessDenied</Code><Message>User: arn:... is not authorized</Message></Error>';
    const s3 = createServer((_, response) => response.writeHead(403).end(refused));
    await new Promise<void>((resolve) => s3.listen(0, '127.0.0.1', resolve));
    const place =
      's3://sd-turbo-modelweightsbucket1234abcd-567890abcdef/models/stabilityai/sd-turbo/0123456789abcdef';
    const { code, stderr } = await run(['self-test'], place, {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(s3.address() as AddressInfo).port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      MODEL_DIRECTORY: join(scratch, 'model'),
    });
    s3.close();
    const shown = stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.slice(0, MAX_ID - 'self_test: '.length);
    expect([code, shown]).toEqual([1, expect.stringMatching(/^cannot read manifest\.json: AccessDenied/)]);
  });
});

test.each([
  [['wroker'], 'wroker'],
  [['serve', '--port'], '--port'],
  [['constructor'], 'constructor'],
])('%j is refused by name', async (args, refused) => {
  const { code, stderr } = await run(args, DEMO);
  expect(code).toBe(1);
  expect(stderr).toContain(`there is no argument ${refused}: serve, worker, self-test`);
});
