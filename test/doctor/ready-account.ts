import type { Account } from '../../lib/doctor/account.js';

/** An account that has everything, and nothing that is in the way. */
export const READY: Account = {
  region: async () => 'us-east-1',
  identity: async () => ({ account: '123456789012', arn: 'arn:aws:iam::123456789012:user/me' }),
  bootstrapVersion: async () => 30,
  endpointQuota: async () => ({ code: 'L-1', value: 2 }),
  isDeployed: async () => false,
  hasLogGroup: async () => false,
  hasComponent: async () => false,
};
