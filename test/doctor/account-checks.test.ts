import { describe, expect, test } from 'vitest';
import { type Account, AccountError, type AccountFault } from '../../lib/doctor/account.js';
import { accountChecks } from '../../lib/doctor/account-checks.js';
import { examine } from '../../lib/doctor/examine.js';
import { READY } from './ready-account.js';

async function said(account: Partial<Account>, instanceTypes = ['ml.g4dn.xlarge']) {
  const lines: string[] = [];
  const checks = accountChecks({ account: { ...READY, ...account }, stackName: 'pictures', instanceTypes });
  const failed = await examine(checks, (line) => lines.push(line));
  return { failed, text: lines.join('\n') };
}

test('an account that is ready: nothing to do', async () => {
  const { failed, text } = await said({});
  expect(failed).toBe(0);
  expect(text).not.toContain('do:');
  expect(text.split('\n')).toHaveLength(5);
});

describe('what is wrong is told with what to do', () => {
  const cases: [string, Partial<Account>, number, RegExp][] = [
    [
      'no bootstrap',
      { bootstrapVersion: async () => undefined },
      1,
      /do: npx cdk bootstrap aws:\/\/123456789012\/us-east-1/,
    ],
    ['an old bootstrap', { bootstrapVersion: async () => 5 }, 1, /version 5 is too old\n.*cdk bootstrap/],
    [
      'no quota',
      { endpointQuota: async () => ({ code: 'L-9', value: 0 }) },
      1,
      /--quota-code L-9 --desired-value 2/,
    ],
    [
      'a quota of one',
      { endpointQuota: async () => ({ code: 'L-9', value: 1 }) },
      0,
      /WARNING.*an update must wait/,
    ],
    ['a type that is not there', { endpointQuota: async () => undefined }, 0, /WARNING.*lists no quota/],
    ['a region without sleep', { region: async () => 'eu-west-3' }, 0, /WARNING region.*\n.*minCopies=1/],
    [
      'a log group',
      { hasLogGroup: async (name) => name.endsWith('/pictures') },
      1,
      /delete-log-group.*stackName=/,
    ],
    ['a component', { hasComponent: async () => true }, 1, /not of this stack\n.*stackName=/],
  ];
  test.each(cases)('%s', async (_, account, failures, words) => {
    const { failed, text } = await said(account);
    expect([failed, text]).toEqual([failures, expect.stringMatching(words)]);
  });

  test('what a deployed stack has is its own', async () => {
    const { failed, text } = await said({ isDeployed: async () => true, hasComponent: async () => true });
    expect([failed, text]).toEqual([0, expect.stringContaining('this will be an update')]);
  });

  test('every instance type has its own quota', async () => {
    const { text } = await said({}, ['ml.g4dn.xlarge', 'ml.g5.xlarge']);
    expect(text).toMatch(/quota of ml.g4dn.xlarge.*\n.*quota of ml.g5.xlarge/);
  });
});

describe('where AWS does not answer', () => {
  const faults: [AccountFault, RegExp][] = [
    ['no-region', /FAILED.*\n.*AWS_REGION/],
    ['no-credentials', /FAILED.*\n.*aws configure/],
    ['bad-credentials', /FAILED.*\n.*aws sso login/],
    ['denied', /WARNING.*\n.*allow some:Action/],
    ['unreachable', /FAILED.*did not answer some:Action: no way\n/],
  ];
  test.each(faults)('%s', async (fault, words) => {
    const refuse = async () => {
      throw new AccountError(fault, 'some:Action', 'no way', undefined);
    };
    const { text } = await said({ endpointQuota: refuse });
    expect(text).toMatch(words);
  });

  test('a defect of ours is none of the account', async () => {
    const broken = async () => {
      throw new TypeError('broken');
    };
    await expect(said({ identity: broken })).rejects.toThrow('broken');
  });
});
