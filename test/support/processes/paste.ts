import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from '../reference.js';

/** Below Vitest's own limit: a line that hangs fails its test, and is not left running. */
const LIMIT_MS = 50_000;

/**
 * Has a shell run lines of a paper, as somebody who pastes them; they must succeed.
 *
 * @param cwd where they write
 * @param variables on top of this process's
 */
export function paste(script: string, cwd: string, variables: Readonly<Record<string, string>> = {}): void {
  const here = script.replaceAll(
    'npx sd-turbo',
    `"${process.execPath}" "${join(ROOT, 'lib/cli/sd-turbo.mjs')}"`,
  );
  const { status, stderr } = spawnSync('bash', ['-ec', here], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...variables },
    timeout: LIMIT_MS,
  });
  expect(status, `${script}\n${stderr}`).toBe(0);
}
