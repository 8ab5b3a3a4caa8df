import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Finished } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const SERVER = join(ROOT, 'dist/functions/endpoint/server.js');
const DEMO = join(ROOT, 'lib/demo-model/bundle');
const scratch = mkdtempSync(join(tmpdir(), 'modes-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(args: readonly string[], MODEL_URI: string): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SERVER, ...args], { env: { ...process.env, MODEL_URI } });
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
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^self-test: .*(picture|numbers)/);
  });

  test.each([
    ['no bundle', join(scratch, 'nothing'), /^self-test: .*nothing/],
    ['a variable that is not set', '', /^self-test: environment variable MODEL_URI/],
  ])('%s: 1, and the reason', async (_, place, reason) => {
    const { code, stderr } = await run(['self-test'], place);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(reason);
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
