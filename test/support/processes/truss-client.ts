import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../reference.js';

const PYTHON = join(ROOT, '.venv/bin/python');
const SCRIPT = join(ROOT, 'test/python/truss_client.py');

/** For `test.skipIf`; says once, in the tests' output, what is missing. */
export function pythonIsAbsent(): boolean {
  if (existsSync(PYTHON)) return false;
  console.log('skipped: no .venv/bin/python (CONTRIBUTING.md: test/python/requirements.txt)');
  return true;
}

/** Runs the Truss example's client; the picture it has got is in `file` then. */
export async function runTrussClient(url: string, key: string, file: string): Promise<void> {
  await promisify(execFile)(PYTHON, [SCRIPT, url, key, file], { timeout: 50_000 });
}
