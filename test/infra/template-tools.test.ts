import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EVERYTHING_OF_EC2, type Service, synthService } from '../support/infra/synth-service.js';
import { findMotoServer, motoIsAbsent } from '../support/servers/moto-server.js';

// What the tools of others say of the template: cfn-lint's rules and schemas. It is deployed by test/deploy.

const run = promisify(execFile);
const tools = dirname(findMotoServer() ?? '');

function templateOf({ stack, folder }: Service): string {
  return join(folder, 'cdk.out', `${stack.stackName}.template.json`);
}

const OPTIONS: [string, Readonly<Record<string, unknown>>][] = [
  ['defaults', {}],
  [
    'everything',
    {
      maxInstances: 3,
      warmHours: '08:00-18:00',
      alarmEmail: 'me@example.com',
      monthlyBudget: 50,
      subnetIds: 'subnet-0123abcd',
      securityGroupIds: 'sg-0123abcd',
      keepWeights: true,
    },
  ],
  ['kept warm, finished bundle', { minCopies: 1, modelUri: 's3://bundles/a/b' }],
  ['instances', { backend: 'ec2', zones: 2 }],
  ['instances, everything', EVERYTHING_OF_EC2],
  [
    'instances in a network that is there',
    { backend: 'ec2', vpcId: 'vpc-0123abcd', subnetIds: 'subnet-0123abcd' },
  ],
];

describe.skipIf(motoIsAbsent() || !existsSync(join(tools, 'cfn-lint')))('cfn-lint', () => {
  test.each(OPTIONS)('%s: no error and no warning', async (_, options) => {
    const template = templateOf(synthService(options));
    const { stdout } = await run(join(tools, 'cfn-lint'), [template]).catch((error) => error);
    expect(stdout).toBe('');
  });
});
