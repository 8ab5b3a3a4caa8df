/**
 * Breaks the stack on purpose, one thing at a time in a copy of this checkout, and has the tour look at each: it must
 * fail, and its failure must name what is wrong. Prints a table. Two minutes for each on two cores.
 *
 *   node test/support/run-ts.mjs test/deploy/break-template.ts [PART OF A NAME]
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BREAKS, type Break } from './breaks.js';

// A bundle of this file runs it: the checkout is where it was started.
const ROOT = process.cwd();
/** Not copied, but seen from the copy. */
const LINKED = ['node_modules', '.venv', '.venv-deploy'];
const NOT_COPIED = new Set([...LINKED, '.git', 'dist', 'cdk.out', 'coverage']);
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

function copyCheckout(folder: string): string {
  const root = join(folder, 'checkout');
  mkdirSync(root);
  cpSync(ROOT, root, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  for (const name of LINKED)
    if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(root, name));
  const shared = join(ROOT, '../shared');
  if (existsSync(shared)) symlinkSync(shared, join(folder, 'shared'));
  return root;
}

/** @returns the first test that failed, and the lines of its failure that say what the break is about */
function follow(root: string, { says, tour = 'deploy' }: Break): { step: string; said: string } | undefined {
  const command = ['run', 'test:deploy', '--', `test/deploy/${tour}.tour.ts`];
  const { status, stdout, stderr } = spawnSync('npm', command, {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  const output = (stdout + stderr).replace(COLOURS, '');
  const step = / FAIL {2}\S+ > (.*)/.exec(output)?.[1] ?? 'before the first test';
  const line = output.split('\n').find((one) => says.test(one));
  // For whoever wants to know what it has said instead.
  if (line === undefined) console.error(output.slice(-5000));
  return { step, said: line?.trim() ?? 'NOT SAID' };
}

function tryBreak(broken: Break): boolean {
  const { name, file, from, to } = broken;
  const folder = mkdtempSync(join(tmpdir(), 'break-'));
  try {
    const root = copyCheckout(folder);
    const text = readFileSync(join(root, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} has not exactly one ${from}`);
    writeFileSync(join(root, file), text.replace(from, to));
    const seen = follow(root, broken);
    const [step, said] = seen ? [seen.step, seen.said] : ['NOT SEEN', ''];
    console.log(`| ${name} | ${step.replaceAll('|', '/')} | ${said.slice(0, 300).replaceAll('|', '/')} |`);
    return seen !== undefined && seen.said !== 'NOT SAID';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const part = process.argv[2] ?? '';
console.log('| broken | fails in | says |\n| --- | --- | --- |');
const chosen = BREAKS.filter(({ name }) => name.includes(part));
const seen = chosen.map(tryBreak).filter(Boolean).length;
console.log(`\n${seen} of ${chosen.length} are seen and told`);
process.exitCode = seen === chosen.length ? 0 : 1;
