import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'gpu-dry-run-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(...args: string[]) {
  const command = ['test/support/run-ts.mjs', 'test/gpu/run.ts', '--work', scratch, '--turns', '1', ...args];
  return spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8', timeout: 50_000 });
}

describe('the GPU script without a GPU', () => {
  let stdout = '';
  beforeAll(() => {
    const { status, stderr, stdout: text } = run('--dry-run', '--peers', 'standard');
    expect(status, stderr).toBe(0);
    stdout = text;
  });

  test('checks every network of the dialect cuda, lowered, and passes', () => {
    for (const network of ['text_encoder', 'unet', 'vae', 'taesd'])
      expect(stdout).toMatch(
        new RegExp(`^\\| ${network} \\| \\S+ \\| \\d\\.\\de-[2-5] \\| 1\\.0e-2 \\|$`, 'm'),
      );
    expect(stdout).toContain('Every check passed.');
  });

  test('prints the tables', () => {
    expect(stdout).toMatch(/^\| standard, float16 \| .*: \*\*\d+\.\d\d \(/m);
    expect(stdout).toMatch(/^\| one step, vae \|/m);
    expect(stdout).toMatch(/^\| one step, taesd \|/m);
    expect(stdout).toMatch(/^\| unet \| 4 \| \d/m);
    expect(stdout).toContain('no GPU');
  });
});

test('without PyTorch its peers are left out, in words; what is wrong with the call is one line', () => {
  const { status, stdout, stderr } = run('--dry-run', '--peers', 'eager', '--python', process.execPath);
  expect([status, stderr]).toEqual([0, expect.stringContaining('cannot run diffusers (')]);
  expect(stderr).toContain('eager: left out');
  expect(stdout).toContain('Every check passed.');
  const alone = spawnSync(process.execPath, ['test/support/run-ts.mjs', 'test/gpu/run.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect([alone.status, alone.stderr]).toEqual([
    2,
    '--work is needed: a folder for checkpoint and bundles, 8 GB\n',
  ]);
});

test('a network that gives something else fails the script, by name', () => {
  // The bundle that the first run left, some of its weights gone: what a broken kernel would look like.
  const file = join(scratch, 'cuda/unet/weights.bin');
  const weights = readFileSync(file);
  writeFileSync(file, weights.fill(0, weights.length / 2));
  const { status, stdout } = run('--dry-run', '--peers', 'standard');
  expect(status).toBe(1);
  expect(stdout).toContain('FAILED: unet:');
});
