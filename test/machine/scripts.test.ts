import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { userData } from '../../infra/backends/ec2/user-data.js';
import { ROOT } from '../support/reference.js';
import { TOLD } from './machine.js';

// What the tools of others say of the scripts and the unit, as they stand and as they are sent.

const FOLDER = join(ROOT, 'infra/backends/ec2/machine');
const scratch = mkdtempSync(join(tmpdir(), 'scripts-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const sent = join(scratch, 'user-data.sh');
writeFileSync(sent, userData({ scripts: FOLDER, ...TOLD }));
const scripts = [
  ...readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sh'))
    .map((name) => join(FOLDER, name)),
  sent,
];

/** Whether this machine has a Debian package's program. */
function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    console.log(`skipped: there is no ${program}`);
    return false;
  }
}

/** @returns all that it says, failing where it fails */
function said(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

test('bash can read them', () => {
  for (const script of scripts) expect(said('bash', ['-n', script])).toBe('');
  expect(scripts.length).toBe(4);
});

test.skipIf(!has('shellcheck'))('shellcheck finds nothing', () => {
  expect(said('shellcheck', ['--severity=style', ...scripts])).toBe('');
});

describe.skipIf(!has('systemd-analyze'))('the unit', () => {
  test('systemd finds no fault with it', () => {
    // With the programs that it names, and the units of others that it waits for.
    const root = join(scratch, 'root');
    const units = join(root, 'etc/systemd/system');
    mkdirSync(units, { recursive: true });
    mkdirSync(join(root, 'opt/sd-turbo'), { recursive: true });
    cpSync(join(FOLDER, 'worker.service'), join(units, 'worker.service'));
    for (const name of ['run-container.sh', 'power-off.sh'])
      cpSync(join(FOLDER, name), join(root, 'opt/sd-turbo', name));
    for (const name of ['docker.service', 'nvidia-persistenced.service'])
      writeFileSync(join(units, name), '[Service]\nExecStart=/opt/sd-turbo/power-off.sh\n');
    for (const name of ['network-online', 'poweroff', 'multi-user', 'sysinit', 'basic', 'shutdown'])
      writeFileSync(join(units, `${name}.target`), '[Unit]\nDescription=as it is elsewhere\n');
    const args = ['verify', '--man=no', '--recursive-errors=no', '--root', root, 'worker.service'];
    expect(execFileSync('sh', ['-c', 'systemd-analyze "$@" 2>&1', 'sh', ...args], { encoding: 'utf8' })).toBe(
      '',
    );
  });
});
