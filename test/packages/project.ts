import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `npm init` leaves: npm's own defaults hold, with install scripts. */
export function emptyProject(parent: string, name: string, files: Record<string, string> = {}): string {
  const folder = join(parent, name);
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', type: 'module' }), ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

export function npm(folder: string, ...args: string[]): Promise<string> {
  return execute('npm', args, folder);
}

/** @returns stdout @throws Error with all that was said */
export async function execute(command: string, args: readonly string[], cwd: string): Promise<string> {
  // Vitest's and this repository's own are not those of a user.
  const strangers = /^(npm_|NODE_|VITEST|ORT_|AWS_)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !strangers.test(name)));
  const { stdout } = await run(command, args, { cwd, env, maxBuffer: 2 ** 26 }).catch((error) => {
    throw new Error(`${command} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}
