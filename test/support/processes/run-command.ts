import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../reference.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Below Vitest's own limit: a command that hangs fails its test, and is not left running. */
const LIMIT_MS = 50_000;

/**
 * Runs the installed command, as `npx sd-turbo` does, in another directory.
 *
 * @param variables on top of this process's
 */
export function sdTurbo(
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'lib/cli/sd-turbo.mjs'), ...args], {
      cwd,
      env: { ...process.env, ...variables },
      timeout: LIMIT_MS,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
