import {
  APIGatewayClient,
  CreateUsagePlanCommand,
  GetApiKeysCommand,
  GetUsagePlansCommand,
} from '@aws-sdk/client-api-gateway';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AwsKeys } from '../../lib/keys/aws/aws-keys.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';

/** The part of the stack that moto knows; its usage plan is made beside it, as CDK names it. */
const TEMPLATE = {
  Resources: {
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'sd-turbo' } },
    Other: { Type: 'AWS::SQS::Queue' },
  },
};
const LIMITS = {
  throttle: { rateLimit: 10, burstLimit: 20 },
  quota: { limit: 20_000, period: 'DAY' },
} as const;

describe.skipIf(motoIsAbsent())('keys of a stack', () => {
  let moto: MotoServer;
  let gateway: APIGatewayClient;
  const plans: Record<string, string> = {};
  const keys = new AwsKeys('sd-turbo', 'us-east-1');
  beforeAll(async () => {
    moto = await startMotoServer();
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const formation = new CloudFormationClient(motoClientConfig(moto.url));
    gateway = new APIGatewayClient(motoClientConfig(moto.url));
    for (const StackName of ['sd-turbo', 'another']) {
      await formation.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(TEMPLATE) }));
      const { StackResources = [] } = await formation.send(new DescribeStackResourcesCommand({ StackName }));
      const apiId = StackResources.find(
        ({ LogicalResourceId }) => LogicalResourceId === 'Api',
      )?.PhysicalResourceId;
      const { id } = await gateway.send(
        new CreateUsagePlanCommand({
          name: `${StackName}-Plan-X1`,
          apiStages: [{ apiId, stage: 'prod' }],
          ...LIMITS,
        }),
      );
      plans[StackName] = id as string;
    }
    await formation.send(
      new CreateStackCommand({
        StackName: 'queue',
        TemplateBody: JSON.stringify({ Resources: { Other: TEMPLATE.Resources.Other } }),
      }),
    );
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await moto.stop();
  });
  const plansNow = async () => (await gateway.send(new GetUsagePlansCommand({}))).items ?? [];
  const keysNow = async () =>
    (await gateway.send(new GetApiKeysCommand({ includeValues: true }))).items ?? [];

  test('a key without limits is in the stack’s plan', async () => {
    const value = await keys.add('alice', {});
    expect(await keysNow()).toEqual([
      expect.objectContaining({ name: 'sd-turbo/alice', value, enabled: true }),
    ]);
    expect(await plansNow()).toHaveLength(2);
    expect(await keys.list()).toEqual([{ name: 'alice', rate: 10, quota: { limit: 20_000, period: 'day' } }]);
    await expect(keys.add('alice', {})).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await new AwsKeys('another', 'us-east-1').list()).toEqual([]);
  });

  test('one with limits has a plan of its own, which says the rest as the stack’s does', async () => {
    await keys.add('bob', { quota: { limit: 5, period: 'month' } });
    await keys.add('carol', { rate: 3 });
    const ours = (await plansNow()).filter(({ name }) => name?.startsWith('sd-turbo/'));
    expect(ours).toEqual([
      expect.objectContaining({
        name: 'sd-turbo/bob',
        throttle: LIMITS.throttle,
        quota: { limit: 5, period: 'MONTH' },
      }),
      expect.objectContaining({
        name: 'sd-turbo/carol',
        throttle: { rateLimit: 3, burstLimit: 6 },
        quota: LIMITS.quota,
      }),
    ]);
    expect((await keys.list()).map(({ name, rate }) => [name, rate])).toEqual([
      ['alice', 10],
      ['bob', 10],
      ['carol', 3],
    ]);
  });

  test('what is removed leaves no key and no plan', async () => {
    for (const name of ['alice', 'bob', 'carol']) await keys.remove(name);
    expect(await keysNow()).toEqual([]);
    expect((await plansNow()).map(({ id }) => id).sort()).toEqual(Object.values(plans).sort());
    expect(await keys.list()).toEqual([]);
    await expect(keys.remove('alice')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('no such stack, no such API, nobody there', async () => {
    await expect(new AwsKeys('none', 'us-east-1').list()).rejects.toThrow(/there is no stack none/);
    await expect(new AwsKeys('queue', 'us-east-1').list()).rejects.toThrow(/the stack queue has no REST API/);
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    await expect(new AwsKeys('sd-turbo', 'us-east-1').list()).rejects.toThrow(/ListStackResources failed: /);
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
  });
});
