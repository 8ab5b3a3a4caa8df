import { APIGatewayClient, GetAccountCommand, UpdateAccountCommand } from '@aws-sdk/client-api-gateway';
import {
  CreatePolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  NoSuchEntityException,
} from '@aws-sdk/client-iam';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { handler as emptyBucket } from '../../functions/empty-bucket/lambda.js';
import { handler as setLogRole } from '../../functions/gateway-log-role/lambda.js';
import { handler as makeSecret } from '../../functions/webhook-secret/lambda.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { type CloudFormation, startCloudFormation } from '../support/infra/cloudformation.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';
import { makeBucket, readObjects, type S3Client } from '../support/weights/s3-objects.js';

// What the stack does at its beginning and at its end, before moto.

describe.skipIf(motoIsAbsent())('custom resources', () => {
  let moto: MotoServer;
  let cloudFormation: CloudFormation;
  let output = '';
  beforeAll(async () => {
    moto = await startMotoServer();
    cloudFormation = await startCloudFormation();
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      output += text;
      return true;
    });
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await Promise.all([moto.stop(), cloudFormation.stop()]);
  });

  test("the webhooks' secret: random, made once, told to nobody, deleted with the stack", async () => {
    const client = new SSMClient({});
    const properties = { Name: '/some-stack/webhook-secret' };
    const id = properties.Name;
    const read = async () => {
      const command = new GetParameterCommand({ Name: id, WithDecryption: true });
      const { Parameter } = await client.send(command).catch(() => ({ Parameter: undefined }));
      return Parameter;
    };
    const created = await cloudFormation.ask(makeSecret, { type: 'Create', properties });
    expect(created).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    const first = await read();
    expect(first).toMatchObject({
      Type: 'SecureString',
      Value: expect.stringMatching(/^whsec_[\w+/]{43}=$/),
    });
    const secret = first?.Value as string;
    expect(() => new Webhook(secret)).not.toThrow();

    // Another update, or another stack of this name after one that failed to be deleted: its receivers know it.
    await cloudFormation.ask(makeSecret, { type: 'Update', id, properties });
    await cloudFormation.ask(makeSecret, { type: 'Create', properties });
    expect((await read())?.Value).toBe(secret);

    for (const _ of [1, 2])
      expect((await cloudFormation.ask(makeSecret, { type: 'Delete', id, properties })).Status).toBe(
        'SUCCESS',
      );
    expect(await read()).toBeUndefined();
    await cloudFormation.ask(makeSecret, { type: 'Create', properties });
    expect((await read())?.Value).not.toBe(secret);

    expect(output + JSON.stringify(cloudFormation.told)).not.toContain('whsec_');
  });

  test('a bucket is emptied when it goes, and not before', async () => {
    const client: S3Client = createS3Client(motoClientConfig(moto.url));
    await makeBucket(client, 'results');
    const keys = Array.from({ length: 20 }, (_, index) => `predictions/${index}/result.json`);
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: 'results', Key, Body: '{}' }));
    const properties = { Bucket: 'results' };
    const id = 'results';
    expect((await cloudFormation.ask(emptyBucket, { type: 'Create', properties })).PhysicalResourceId).toBe(
      id,
    );
    await cloudFormation.ask(emptyBucket, { type: 'Update', id, properties });
    expect((await readObjects(client, 'results', 'predictions')).size).toBe(20);
    for (const _ of [1, 2])
      expect((await cloudFormation.ask(emptyBucket, { type: 'Delete', id, properties })).Status).toBe(
        'SUCCESS',
      );
    expect((await readObjects(client, 'results', 'predictions')).size).toBe(0);
    const gone = await cloudFormation.ask(emptyBucket, { type: 'Delete', id: 'no-such-bucket', properties });
    expect(gone.Status).toBe('SUCCESS');
    client.destroy();
  });

  describe('the role with which API Gateway logs', () => {
    const properties = {
      RoleName: 'sd-turbo-gateway-logs',
      PolicyArn: 'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs',
    };
    const DOCUMENT = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'logs:PutLogEvents', Resource: '*' }],
    });
    const id = properties.RoleName;
    const roleOfAccount = async () =>
      (await new APIGatewayClient({}).send(new GetAccountCommand({}))).cloudwatchRoleArn ?? '';
    const replace = (value: string) =>
      new APIGatewayClient({}).send(
        new UpdateAccountCommand({
          patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }],
        }),
      );
    const ask = (type: 'Create' | 'Update' | 'Delete') =>
      cloudFormation.ask(setLogRole, { type, properties, ...(type !== 'Create' && { id }) });

    test('an account that has one keeps it, and no other is made', async () => {
      const theirs = 'arn:aws:iam::123456789012:role/theirs';
      await replace(theirs);
      for (const type of ['Create', 'Update', 'Delete'] as const)
        expect(await ask(type)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
      expect(await roleOfAccount()).toBe(theirs);
      const role = new IAMClient({}).send(new GetRoleCommand({ RoleName: id }));
      await expect(role).rejects.toThrow(NoSuchEntityException);
    });

    test('an account that has none gets one, once, which stays when the stack goes', async () => {
      // The emulator has none of AWS's own policies.
      const iam = new IAMClient({});
      const { Policy } = await iam.send(
        new CreatePolicyCommand({ PolicyName: 'push-to-logs', PolicyDocument: DOCUMENT }),
      );
      properties.PolicyArn = Policy?.Arn as string;
      await replace('');
      // Of a second stack, too, or of one in another region that finds the role there and the setting not.
      for (const _ of [1, 2]) {
        expect(await ask('Create')).toMatchObject({ Status: 'SUCCESS' });
        expect(await roleOfAccount()).toMatch(/:role\/sd-turbo-gateway-logs$/);
        await replace('');
      }
      await ask('Create');
      await ask('Delete');
      expect(await roleOfAccount()).toMatch(/:role\/sd-turbo-gateway-logs$/);
      const { Role } = await iam.send(new GetRoleCommand({ RoleName: id }));
      expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toContain(
        '"apigateway.amazonaws.com"',
      );
      const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: id }));
      expect(AttachedPolicies.map(({ PolicyArn }) => PolicyArn)).toEqual([properties.PolicyArn]);
    });
  });
});
