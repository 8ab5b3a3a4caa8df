import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AccountError } from '../../lib/doctor/account.js';
import { AwsAccount } from '../../lib/doctor/aws-account.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../support/servers/moto-server.js';

// Without an account, and before moto. With the emulator's: test/deploy.

const home = mkdtempSync(join(tmpdir(), 'doctor-'));
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  for (const name of [
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_PROFILE',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
  ])
    vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('AWS_CONFIG_FILE', join(home, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(home, 'credentials'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(() => vi.unstubAllEnvs());

const fault = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error) => (error instanceof AccountError ? error.fault : error),
  );

test('no region, and no credentials', async () => {
  expect(await fault(new AwsAccount().region())).toBe('no-region');
  expect(await new AwsAccount('eu-central-1').region()).toBe('eu-central-1');
  expect(await fault(new AwsAccount('us-east-1').identity())).toBe('no-credentials');
});

test('a host that does not answer', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  expect(await fault(new AwsAccount('us-east-1').bootstrapVersion())).toBe('unreachable');
});

describe.skipIf(motoIsAbsent())('an account', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMotoServer();
  });
  afterAll(() => moto.stop());

  test('is told of, and has nothing', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const account = new AwsAccount('us-east-1');
    expect((await account.identity()).account).toBe('123456789012');
    expect(await account.bootstrapVersion()).toBeUndefined();
    expect(await account.isDeployed('sd-turbo')).toBe(false);
    expect(await account.hasLogGroup('/aws/sagemaker/InferenceComponents/sd-turbo')).toBe(false);
  });
});
