import { Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, test } from 'vitest';
import { type Ec2Props, type SageMakerProps, SdTurbo, type SdTurboProps } from '../../../infra/index.js';
import { givenOptions, readConfig } from '../../../infra/options/config.js';
import { type PropPath, toProps } from '../../../infra/options/paths.js';
import { readProps } from '../../../infra/options/read-props.js';
import { makeApp } from '../../support/infra/synth-service.js';

const read = (props: SdTurboProps) => readProps(props, 'Shop/Pictures', 'shop-pictures');

/** What is said of wrong props, a line for each; fails where nothing is. */
function complaint(props: object): string[] {
  try {
    read(props as SdTurboProps);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.trim());
  }
  throw new Error(`${JSON.stringify(props)} was taken`);
}

const CERTIFICATE = { certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1' };

/** Paths of an interface whose groups are one level deep. */
type Groups =
  | 'model'
  | 'drawing'
  | 'api'
  | 'instances'
  | 'sleep'
  | 'network'
  | 'predictions'
  | 'logs'
  | 'alarms';
type Paths<T> = {
  [K in keyof T & string]-?: K extends Groups ? `${K}.${keyof NonNullable<T[K]> & string}` : K;
}[keyof T & string];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

test('every prop of the interfaces is known by its path, and no other is', () => {
  const same: Same<Paths<Ec2Props> | Paths<SageMakerProps>, PropPath> = true;
  expect(same).toBe(true);
});

test('without props it is what a deploy without options makes', () => {
  const { config } = read({});
  expect(config).toEqual({ ...readConfig({}), stackName: 'shop-pictures' });
});

describe('what the compiler refuses', () => {
  test.each([
    // @ts-expect-error Of the other backend.
    { backend: 'ec2', sleep: { idleMinutes: 5 } } satisfies SdTurboProps,
    // @ts-expect-error Of the other backend, which is the default.
    { sleep: { idleSeconds: 60 } } satisfies SdTurboProps,
    // @ts-expect-error Of the other backend.
    { backend: 'ec2', instances: { max: 2 } } satisfies SdTurboProps,
    // @ts-expect-error No backend.
    { backend: 'fargate' } satisfies SdTurboProps,
    // @ts-expect-error Misspelt.
    { sleep: { idelMinutes: 5 } } satisfies SdTurboProps,
    // @ts-expect-error No number.
    { api: { rateLimit: 'many' } } satisfies SdTurboProps,
  ])('%j, and synthesis too', (props) => {
    expect(complaint(props).length).toBeGreaterThan(1);
  });
});

describe('wrong props are told by their paths', () => {
  const cases: [object, string][] = [
    [{ backend: 'ec2', sleep: { idleSeconds: 5 } }, 'sleep.idleSeconds: must be an integer from 10 to 21600'],
    [
      { backend: 'ec2', sleep: { idleMinutes: 5 } },
      'sleep.idleMinutes: is an option of backend sagemaker, and this is ec2',
    ],
    [{ instances: { zones: 2 } }, 'instances.zones: is an option of backend ec2, and this is sagemaker'],
    [{ sleep: { idelMinutes: 5 } }, 'sleep.idelMinutes: is no prop; there are sleep.minCopies, sleep.idle'],
    [{ slep: { idleMinutes: 5 } }, 'slep: is no prop; there are name, backend, instances'],
    [{ sleep: 5 }, 'sleep: must be an object with sleep.minCopies'],
    [{ stackName: 'x' }, 'stackName: is no prop'],
    [{ region: 'us-east-1' }, 'region: is no prop'],
    [{ name: '1st' }, 'name: must be letters'],
    [{ instances: { max: 1 }, sleep: { minCopies: 2 } }, 'sleep.minCopies: is more than instances.max (1)'],
    [{ alarms: { monthlyBudget: 5 } }, 'alarms.monthlyBudget: needs alarms.email'],
    [{ alarms: { email: 'me' } }, 'alarms.email: must be an e-mail address'],
    [{ model: { uri: 's3://a-bucket' } }, 'model.uri: must be s3://bucket/prefix'],
    [
      { model: { uri: 's3://a-bucket/b', revision: 'main' } },
      'model.revision: model.uri names a finished bundle',
    ],
    [{ drawing: { precision: 'float32' } }, 'drawing.precision: drawing.dialect cuda computes in float16'],
    [{ instances: { type: 'g4dn.xlarge' } }, 'instances.type: g4dn.xlarge is no type of backend sagemaker'],
    [
      { network: { subnetIds: ['subnet-0123abcd'] } },
      'network.subnetIds: go together with network.securityGroupIds',
    ],
    [
      { backend: 'ec2', network: { vpcId: 'vpc-0123abcd' } },
      'network.vpcId: goes together with network.subnetIds',
    ],
    [{ network: { subnets: {} } }, 'network.subnets: says nothing without network.vpc'],
    [{ removalPolicy: 'snapshot' }, 'removalPolicy: must be destroy or retain'],
    [{ logs: { retentionDays: 2 } }, 'logs.retentionDays: must be one of 1, 3, 5'],
    [{ api: { accessLog: true } }, 'api.accessLog: must be set-role, keep-role or none'],
    [
      { api: { customDomain: { domainName: 'https://a.b', certificate: CERTIFICATE } } },
      'api.customDomain.domainName: must be a name such as',
    ],
    [
      { api: { customDomain: { domainName: 'a.example.com' } } },
      'api.customDomain.certificate: must be a certificate',
    ],
    [
      { api: { customDomain: { domainName: 'a.example.com', certificate: CERTIFICATE, basePath: 'a/b' } } },
      'api.customDomain.basePath: must be',
    ],
    [
      { api: { customDomain: { domainName: 'a.example.com', certificate: CERTIFICATE, zone: 'x' } } },
      'api.customDomain.zone: is no prop; there are domainName',
    ],
    [{ api: { customDomain: 'a.example.com' } }, 'api.customDomain: must be an object with domainName'],
    [{ api: { keyValue: 'a-key-that-everybody-can-read' } }, 'api.keyValue: must be a SecretValue'],
    [{ alarms: { topic: 'arn:aws:sns:us-east-1:123456789012:x' } }, 'alarms.topic: must be a topic'],
    [{ alarms: null }, 'alarms: must be an object with alarms.email'],
    [{ network: { vpc: 'vpc-0123abcd' } }, 'network.vpc: must be a VPC'],
    [
      { network: { vpc: { vpcId: 'vpc-1', selectSubnets: 1 }, securityGroups: ['sg-0123abcd'] } },
      'network.securityGroups: must be an array of security groups',
    ],
  ];
  test.each(cases)('%j', (props, line) => {
    const [first, ...lines] = complaint(props);
    expect(first).toBe('wrong props of SdTurbo Shop/Pictures:');
    expect(lines).toEqual([expect.stringContaining(line)]);
  });

  test('all of them at once, misspelt ones too', () => {
    const lines = complaint({ slep: {}, api: { rateLimit: 0 }, logs: { retentionDays: 2 } });
    expect(lines.map((line) => line.split(':')[0]?.split(' ')[0])).toEqual([
      'wrong',
      'slep',
      'api.rateLimit',
      'logs.retentionDays',
    ]);
  });

  test('at synthesis, before anything is made', () => {
    const stack = new Stack(makeApp().app, 'Shop');
    expect(() => new SdTurbo(stack, 'Pictures', { api: { rateLimit: 0 } })).toThrow(
      'wrong props of SdTurbo Shop/Pictures:\n  api.rateLimit: must be an integer from 1 to 10000',
    );
  });
});

describe('what is known at the deploy alone', () => {
  const stack = new Stack(makeApp().app, 'Shop');
  const vpc = new Vpc(stack, 'Vpc');
  const bucket = new Bucket(stack, 'Bundles');

  test('ids of resources, and a bucket of the same app', () => {
    const subnetIds = vpc.privateSubnets.map(({ subnetId }) => subnetId);
    const uri = `s3://${bucket.bucketName}/sd-turbo`;
    const { config } = read({
      backend: 'ec2',
      model: { uri },
      network: { vpcId: vpc.vpcId, subnetIds },
    });
    expect(config).toMatchObject({ modelUri: uri, subnetIds, vpcId: vpc.vpcId });
  });
});

describe('options and props', () => {
  const options: Record<string, unknown>[] = [
    {},
    { backend: 'ec2', zones: 'us-east-1b,us-east-1c', idleSeconds: '30', machineImage: 'ami-0123abcd' },
    { maxInstances: '3', warmHours: 'MON-FRI 08:00-18:00', timeZone: 'Europe/Berlin', logDays: '7' },
    { subnetIds: 'subnet-0123abcd', securityGroupIds: 'sg-0123abcd', alarmEmail: 'a@b.de', monthlyBudget: 5 },
    { modelUri: 's3://bucket/a', decoder: 'taesd', attentionKernels: 'exact', accessLog: 'none' },
    { keepWeights: 'true', removalPolicy: 'destroy', dailyQuota: 5, retentionDays: 2, maxBatchSize: '2' },
  ];
  test.each(options)('%j says the same as the props that it becomes', (given) => {
    const { stackName: _, ...config } = read(toProps(givenOptions(given))).config;
    const { stackName: __, ...expected } = readConfig(given);
    expect(config).toEqual(expected);
  });

  test("props with CDK's own words", () => {
    expect(read({ logs: { retentionDays: RetentionDays.ONE_WEEK } }).config.logDays).toBe(7);
  });
});
