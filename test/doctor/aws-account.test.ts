import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateTagsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AccountError } from '../../lib/doctor/account.js';
import { AwsAccount } from '../../lib/doctor/aws/aws-account.js';
import { AwsInstances } from '../../lib/doctor/aws/aws-instances.js';
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

  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });

  test('is told of, and has nothing', async () => {
    const account = new AwsAccount('us-east-1');
    expect((await account.identity()).account).toBe('123456789012');
    expect(await account.bootstrapVersion()).toBeUndefined();
    expect(await account.isDeployed('sd-turbo')).toBe(false);
    expect(await account.hasLogGroup('/aws/sagemaker/InferenceComponents/sd-turbo')).toBe(false);
  });

  test('EC2 has types in some zones, an image that it recommends, and instances of stacks', async () => {
    const instances = new AwsInstances('us-east-1');
    expect(await instances.vcpus('g4dn.xlarge')).toBe(4);
    expect(await instances.vcpus('g9.nano')).toBeUndefined();
    const [zones, having] = [await instances.zones(), await instances.zonesWith('g4dn.xlarge')];
    expect(zones[0]).toBe('us-east-1a');
    expect(having.length).toBeGreaterThan(0);
    expect(zones).toEqual(expect.arrayContaining([...having]));
    expect(await instances.zonesWith('g9.nano')).toEqual([]);
    expect(await instances.recommendedImage()).toMatch(/^ami-[0-9a-f]+$/);
    expect(await instances.imagesOf('sd-turbo')).toEqual([]);
    const image = 'ami-0123456789abcdef0';
    const ids = [await instanceOf('sd-turbo', image), await instanceOf('another', 'ami-0fedcba9876543210')];
    expect(await instances.imagesOf('sd-turbo')).toEqual([image]);
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: ids }));
    expect(await instances.imagesOf('sd-turbo')).toEqual([]);
  });

  const ec2 = () => new EC2Client({ region: 'us-east-1' });

  /** As CloudFormation makes one. @returns its id */
  async function instanceOf(stack: string, ImageId: string): Promise<string> {
    const { Instances = [] } = await ec2().send(
      new RunInstancesCommand({ ImageId, InstanceType: 'g4dn.xlarge', MinCount: 1, MaxCount: 1 }),
    );
    const id = Instances[0]?.InstanceId as string;
    const Tags = [{ Key: 'aws:cloudformation:stack-name', Value: stack }];
    await ec2().send(new CreateTagsCommand({ Resources: [id], Tags }));
    return id;
  }
});
