import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { readConfig } from '../../infra/options/config.js';
import { doctorCommand, INSTANCE_TYPES } from '../../lib/cli/commands/doctor.js';
import { sdTurbo } from '../support/processes/run-command.js';

test('it looks at what a deploy without options would make', () => {
  const { backend, stackName, model, revision, taesd } = readConfig({});
  expect(doctorCommand().opts()).toEqual({ backend, stackName, model, revision, taesd });
  for (const [name, type] of Object.entries(INSTANCE_TYPES))
    expect(readConfig({ backend: name }).instanceType).toBe(type);
});

test.each([
  ['--region', 'Frankfurt'],
  ['--instance-types', 'ml.g4dn.xlarge;ml.g5.xlarge'],
  ['--instance-types', 'g4dn.xlarge'],
  ['--backend', 'fargate'],
  ['--model', 'sd-turbo'],
])('%s %s is refused before anything is asked', async (flag, value) => {
  const { code, stdout, stderr } = await sdTurbo(['doctor', flag, value], tmpdir());
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(`sd-turbo: ${flag} must be`)]);
});
