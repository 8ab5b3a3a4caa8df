import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { sdTurbo } from '../support/processes/run-command.js';

const COMMANDS = ['generate', 'import', 'serve', 'bench', 'keys', 'models', 'doctor', 'init'];

test('every help ends with an example, whose options are there', async () => {
  const { stdout } = await sdTurbo(['--help'], tmpdir());
  expect(stdout).toMatch(/\nExample:\n {2}npx sd-turbo generate .*\n$/);
  for (const command of COMMANDS) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const { code, stdout: help } = await sdTurbo([command, '--help'], tmpdir());
    expect(code).toBe(0);
    const [options = '', example = ''] = help.split('\nExample:\n');
    expect(example).toMatch(new RegExp(`^ {2}npx sd-turbo ${command} [^\\n]+\\n$`));
    for (const [flag] of example.matchAll(/--[a-z-]+/g))
      expect(options, command).toMatch(new RegExp(`^ {2}${flag} `, 'm'));
  }
});
