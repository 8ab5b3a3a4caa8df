import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'cli-output-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));
const DRAW = ['generate', 'a tree', '--seed', '1'];
const WITH_BASH = spawnSync('bash', ['--version']).status === 0;

/** What `DRAW` makes. */
let picture: Buffer;
beforeAll(async () => {
  await sdTurbo([...DRAW, '--out', 'a.png'], scratch);
  picture = readFileSync(join(scratch, 'a.png'));
});

/** Runs a line of the shell, in which `draw` is the command. */
function bash(line: string, cwd: string) {
  const draw = `draw() { "${process.execPath}" "${join(ROOT, 'lib/cli/sd-turbo.mjs')}" ${DRAW.map((word) => `'${word}'`).join(' ')} "$@"; }`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${draw}; ${line}`], {
    cwd,
    maxBuffer: 1 << 24,
    timeout: 50_000,
  });
  return { status, stdout, stderr: stderr.toString() };
}

test('a link stays a link', async () => {
  const cwd = folder();
  symlinkSync('real.png', join(cwd, 'link.png'));
  const { code, stdout } = await sdTurbo([...DRAW, '--out', 'link.png'], cwd);
  expect([code, stdout]).toEqual([0, 'link.png\n']);
  expect(lstatSync(join(cwd, 'link.png')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(cwd, 'real.png')).equals(picture)).toBe(true);
});

describe.skipIf(!WITH_BASH)('in a shell', () => {
  test.each(['-', '/dev/stdout'])('--out %s has the picture on stdout, and nothing else', (out) => {
    const cwd = folder();
    const { status, stdout } = bash(`draw --out ${out} | cat`, cwd);
    expect([status, stdout.equals(picture)]).toEqual([0, true]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a redirection to the end of a file is kept', () => {
    const cwd = folder();
    const { status } = bash('echo before > log; draw --out /dev/stdout >> log', cwd);
    expect(status).toBe(0);
    expect(readFileSync(join(cwd, 'log')).equals(Buffer.concat([Buffer.from('before\n'), picture]))).toBe(
      true,
    );
  });

  test('a process takes it by its file', () => {
    const cwd = folder();
    const { status } = bash('draw --out >(cat > taken.part; mv taken.part taken); wait $!', cwd);
    expect(status).toBe(0);
    expect(readFileSync(join(cwd, 'taken')).equals(picture)).toBe(true);
  });

  test.each(['draw --out - | head -c 8', 'draw --help | true'])('a reader that leaves early: %s', (line) => {
    const { status, stderr } = bash(line, folder());
    expect(status).toBe(1);
    expect(stderr).not.toMatch(/sd-turbo|EPIPE|at /);
  });

  test('a stdout that takes nothing is told in a line', () => {
    const { status, stderr } = bash('draw --out - > /dev/full', folder());
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^sd-turbo: stdout cannot .*\(ENOSPC\)$/m)]);
  });
});

describe('refused before the model is loaded', () => {
  test.each([
    [['--out', '-', '--json'], '--json'],
    [['--out', '-', '--num-images', '2'], '--num-images'],
    [['--out', 's3://bucket/a.png'], '--out s3://... is not on this machine'],
    [['--out', 'file:///tmp/a.png'], '--out file:///...'],
    [['--out', 'loop.png'], 'leads to itself'],
    [['--out', 'nowhere.png'], 'no/such cannot be written (ENOENT)'],
    [['--out', 'folder.png'], 'the directory folder.png'],
  ])('%j', async (args, named) => {
    const cwd = folder();
    symlinkSync('loop.png', join(cwd, 'loop.png'));
    symlinkSync('no/such/a.png', join(cwd, 'nowhere.png'));
    symlinkSync('.', join(cwd, 'folder.png'));
    const { code, stdout, stderr } = await sdTurbo([...DRAW, ...args], cwd);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^sd-turbo: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(readdirSync(cwd)).toHaveLength(3);
  });
});
