import { describe, expect, test } from 'vitest';
import { AccountError, type InstanceAccount } from '../../lib/doctor/account.js';
import { accountChecks } from '../../lib/doctor/account-checks.js';
import { examine } from '../../lib/doctor/examine.js';
import { READY } from './ready-account.js';

// What a deploy with `-c backend=ec2` stands on.

const QUOTA = { code: 'L-DB2E81BA', value: 8 };

/** An account in which an instance can be made, and a second one beside it. */
const INSTANCES: InstanceAccount = {
  gpuQuota: async () => QUOTA,
  vcpus: async () => 4,
  zonesWith: async () => ['us-east-1a', 'us-east-1c'],
  zones: async () => ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  recommendedImage: async () => 'ami-0002',
  imagesOf: async () => [],
};

async function said(instances: Partial<InstanceAccount>, isDeployed = false) {
  const lines: string[] = [];
  const account = { ...READY, isDeployed: async () => isDeployed, region: async () => 'eu-west-3' };
  const checks = accountChecks({
    account,
    instances: { ...INSTANCES, ...instances },
    stackName: 'pictures',
    instanceTypes: ['g4dn.xlarge', 'g5.xlarge'],
  });
  const failed = await examine(checks, (line) => lines.push(line));
  return { failed, text: lines.join('\n') };
}

test('an account that is ready: nothing to do, and nothing is said of endpoints', async () => {
  const { failed, text } = await said({});
  expect(failed).toBe(0);
  expect(text).not.toMatch(/do:|endpoint|ml\./);
  expect(text.split('\n')).toHaveLength(6);
});

describe('what is wrong is told with what to do', () => {
  const cases: [string, Partial<InstanceAccount>, number, RegExp][] = [
    [
      'no quota, as in every new account',
      { gpuQuota: async () => ({ ...QUOTA, value: 0 }) },
      1,
      /FAILED.*0 vCPUs, and g4dn.xlarge has 4: nothing.*\n.*--service-code ec2 --quota-code L-DB2E81BA --desired-value 8 --region eu-west-3/,
    ],
    [
      'a quota for one of a larger type is none for it',
      { vcpus: async () => 16 },
      1,
      /FAILED.*8 vCPUs.*has 16.*\n.*--desired-value 32/,
    ],
    [
      'a quota for one',
      { gpuQuota: async () => ({ ...QUOTA, value: 4 }) },
      0,
      /WARNING.*an update must wait until the instance sleeps/,
    ],
    ['a quota that AWS does not tell', { gpuQuota: async () => undefined }, 0, /WARNING.*lists no quota/],
    [
      'a region without the type',
      { vcpus: async () => undefined },
      1,
      /FAILED.*eu-west-3 has no g4dn.xlarge/,
    ],
    [
      'a first zone without the type',
      { zonesWith: async () => ['us-east-1b', 'us-east-1c'] },
      1,
      /FAILED.*takes us-east-1a, which has none; us-east-1b, us-east-1c have\n.*-c zones=us-east-1b/,
    ],
    [
      'no zone with the type',
      { zonesWith: async () => [] },
      1,
      /FAILED {2}zones.*has no g4dn.xlarge\n.*region=/,
    ],
    ['no image', { recommendedImage: async () => undefined }, 1, /FAILED.*none in.*\n.*machineImage=ami-/],
    [
      'a newer image',
      { imagesOf: async () => ['ami-0002', 'ami-0001'] },
      0,
      /WARNING.*ami-0002 is newer than ami-0001.*makes a new one\n.*machineImage=ami-0001/,
    ],
  ];
  test.each(cases)('%s', async (_, instances, failures, words) => {
    const { failed, text } = await said(instances);
    expect([failed, text]).toEqual([failures, expect.stringMatching(words)]);
  });

  test('a stack whose instance is gone', async () => {
    const { failed, text } = await said({}, true);
    expect([failed, text]).toEqual([0, expect.stringMatching(/WARNING.*no instance.*\n.*-c generation=2/)]);
    expect((await said({ imagesOf: async () => ['ami-0002'] }, true)).text).not.toContain('do:');
  });
});

test('where AWS does not answer, the other checks go on', async () => {
  const refuse = async () => {
    throw new AccountError('denied', 'ec2:DescribeInstances', 'no', undefined);
  };
  const { failed, text } = await said({ imagesOf: refuse });
  expect([failed, text]).toEqual([
    0,
    expect.stringMatching(/WARNING machine image.*\n.*allow ec2:DescribeInstances/),
  ]);
});
