import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../infra/options/config.js';

const DEFAULTS = readConfig({});

/** The backend that has an option. */
function backendOf(option: string): Record<string, unknown> {
  return /^(idleSeconds|zones|diskGb|machineImage|generation|sessionManager|vpcId)$/.test(option)
    ? { backend: 'ec2' }
    : {};
}

/** What is said of wrong options; fails where nothing is. */
function complaint(context: Record<string, unknown>): string {
  try {
    readConfig(context);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(context)} was taken`);
}

test('defaults: one small GPU that sleeps, and nobody who is told', () => {
  expect(DEFAULTS).toEqual({
    stackName: 'sd-turbo',
    backend: 'sagemaker',
    idleSeconds: 60,
    zones: 1,
    diskGb: 30,
    machineImage: 'recommended',
    sessionManager: false,
    instanceType: 'ml.g4dn.xlarge',
    maxInstances: 1,
    minCopies: 0,
    idleMinutes: 5,
    timeZone: 'UTC',
    model: 'stabilityai/sd-turbo',
    revision: 'b261bac6fd2cf515557d5d0707481eafa0485ec2',
    taesd: 'madebyollin/taesd',
    taesdRevision: 'main',
    imageToImage: false,
    dialect: 'cuda',
    precision: 'float16',
    decoder: 'vae',
    maxBatchSize: 1,
    keepWeights: false,
    removalPolicy: 'destroy',
    accessLog: 'set-role',
    rateLimit: 10,
    scaleInPolicy: 'none',
    burstLimit: 20,
    dailyQuota: 20_000,
    retentionDays: 1,
    logDays: 30,
  });
});

test('of instances: the smallest with a T4, and what it is made of where there is none', () => {
  expect(readConfig({ backend: 'ec2' })).toMatchObject({
    backend: 'ec2',
    instanceType: 'g4dn.xlarge',
    fallbackInstanceTypes: ['g4dn.2xlarge', 'g5.xlarge', 'g6.xlarge'],
  });
  expect(readConfig({ backend: 'ec2', instanceType: 'g6.xlarge' })).toMatchObject({
    fallbackInstanceTypes: ['g4dn.2xlarge', 'g5.xlarge'],
  });
  expect(readConfig({ backend: 'ec2', fallbackInstanceTypes: 'g5.2xlarge' })).toMatchObject({
    fallbackInstanceTypes: ['g5.2xlarge'],
  });
});

describe('numbers', () => {
  const ranges = {
    maxInstances: [1, 100],
    idleMinutes: [5, 1380],
    rateLimit: [1, 10_000],
    burstLimit: [1, 5_000],
    dailyQuota: [1, 100_000_000],
    retentionDays: [1, 3650],
    idleSeconds: [10, 21_600],
    diskGb: [30, 1000],
  } as const;
  const name = fc.constantFrom(...(Object.keys(ranges) as (keyof typeof ranges)[]));

  test('as numbers and as texts alike, within their range', () => {
    fc.assert(
      fc.property(name, fc.integer({ min: -10, max: 200_000_000 }), (option, value) => {
        const [least, most] = ranges[option];
        if (value < least || value > most) {
          expect(complaint({ [option]: value })).toContain(
            `${option}: must be an integer from ${least} to ${most}`,
          );
          expect(complaint({ [option]: String(value) })).toContain(`${option}: must be`);
        } else {
          expect(readConfig({ ...backendOf(option), [option]: value })[option]).toBe(value);
          expect(readConfig({ ...backendOf(option), [option]: String(value) })[option]).toBe(value);
        }
      }),
    );
  });

  test('nothing else is a number', () => {
    const texts = fc.string().filter((text) => !/^\d+$/.test(text));
    const others = fc.oneof(
      texts,
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.nat()),
      fc.double({ noInteger: true }),
    );
    fc.assert(
      fc.property(name, others, (option, value) => {
        expect(complaint({ [option]: value })).toContain(`${option}: must be an integer`);
      }),
    );
  });
});

describe('names', () => {
  const words = fc.stringMatching(/^\w{1,30}$/);

  test('a plain word that is no option is refused by name', () => {
    fc.assert(
      fc.property(words, fc.string(), (word, value) => {
        fc.pre(
          !(word in DEFAULTS) &&
            !/^(region|warmHours|modelUri|alarm|monthly|subnetIds|security|fallback|vpcId)/.test(word),
        );
        expect(complaint({ [word]: value })).toContain(`${word}: is no option; there are stackName, region`);
      }),
    );
  });

  test("what CDK keeps in the context is not the options' affair", () => {
    const own = [
      'aws:cdk:enable-path-metadata',
      '@aws-cdk/core:x',
      'availability-zones:account=1:region=us-east-1',
      'cli-telemetry',
      'acknowledged-issue-numbers',
    ];
    expect(readConfig(Object.fromEntries(own.map((key) => [key, true])))).toEqual(DEFAULTS);
  });

  test('all wrong options are told at once', () => {
    const text = complaint({ idelMinutes: 3, maxInstances: 'two', region: 'Frankfurt' });
    expect(text.split('\n').map((line) => line.trim().split(':')[0])).toEqual([
      'wrong options',
      'region',
      'maxInstances',
      'idelMinutes',
    ]);
  });

  test('each is told once, whatever rules it breaks', () => {
    expect(complaint({ maxInstances: 2 ** 53 })).toMatch(/^wrong options:\n {2}maxInstances: .*$/);
  });
});

describe('texts', () => {
  const wrong: [string, unknown][] = [
    ['stackName', '1st'],
    ['stackName', 'a'.repeat(41)],
    ['stackName', 'a--b'],
    ['stackName', 'aws-pictures'],
    ['stackName', 'SSM1'],
    ['min-copies', 1],
    ['idle-minutes', '60'],
    ['region', 'us-east'],
    ['backend', 'fargate'],
    ['backend', 'EC2'],
    ['zones', 3],
    ['zones', 0],
    ['zones', 'us-east-1'],
    ['zones', 'us-east-1a,us-east-1b,us-east-1c'],
    ['zones', 'us-east-1a,us-east-1a'],
    ['diskGb', 20],
    ['machineImage', 'latest'],
    ['machineImage', 'ami-1'],
    ['generation', ''],
    ['generation', 'the second'],
    ['sessionManager', 'yes'],
    ['vpcId', 'subnet-0123abcd'],
    ['instanceType', 'ml.m5.large'],
    ['instanceType', 'g4dn.xlarge'],
    ['fallbackInstanceTypes', 'ml.g5.xlarge,ml.m5.large'],
    ['fallbackInstanceTypes', 'ml.g5.xlarge,ml.g5.xlarge'],
    ['fallbackInstanceTypes', [2, 4, 8, 12, 16].map((size) => `ml.g5.${size}xlarge`).join(',')],
    ['scaleInPolicy', 'IDLE_RELEASE'],
    ['timeZone', 'Mars/Olympus'],
    ['timeZone', 'europe/berlin'],
    ['model', 'sd-turbo'],
    ['model', 'https://huggingface.co/stabilityai/sd-turbo'],
    ['revision', 'a b'],
    ['revision', ''],
    ['taesd', 'taesd'],
    ['dialect', 'tensorrt'],
    ['precision', 'int8'],
    ['decoder', 'tiny'],
    ['maxBatchSize', 0],
    ['maxBatchSize', '5'],
    ['maxBatchSize', 1.5],
    ['modelUri', 's3://bucket'],
    ['modelUri', 's3://bucket/'],
    ['modelUri', 's3://bucket/a//b'],
    ['modelUri', 'https://bucket/prefix'],
    ['keepWeights', 'yes'],
    ['logDays', 2],
    ['accessLog', 'true'],
    ['removalPolicy', 'snapshot'],
    ['alarmEmail', 'me'],
    ['subnetIds', 'vpc-0123abcd'],
    ['subnetIds', ''],
    ['subnetIds', 'subnet-0123abcd,subnet-0123abcd'],
    ['warmHours', '8-18'],
    ['warmHours', 'MON-FRI 18:00-08:00'],
    ['warmHours', 'MON-FRI 08:00-24:00'],
    ['warmHours', 'Mo-Fr 08:00-18:00'],
  ];
  test.each(wrong)('%s=%j is refused', (name, value) => {
    expect(complaint({ [name]: value })).toContain(`${name}: `);
  });

  const right: [string, unknown, unknown][] = [
    ['region', 'us-gov-west-1', 'us-gov-west-1'],
    ['instanceType', 'ml.g6.2xlarge', 'ml.g6.2xlarge'],
    ['fallbackInstanceTypes', 'ml.g5.xlarge, ml.g6.xlarge', ['ml.g5.xlarge', 'ml.g6.xlarge']],
    ['scaleInPolicy', 'consolidation', 'consolidation'],
    ['taesd', 'none', 'none'],
    ['keepWeights', 'true', true],
    ['maxBatchSize', '4', 4],
    ['logDays', '7', 7],
    ['modelUri', 's3://my.bucket/a/b-c', 's3://my.bucket/a/b-c'],
    ['zones', '2', 2],
    ['zones', 'us-east-1b, us-gov-west-1c', ['us-east-1b', 'us-gov-west-1c']],
    ['machineImage', 'ami-0123456789abcdef0', 'ami-0123456789abcdef0'],
    ['generation', '2', '2'],
    ['sessionManager', 'true', true],
    ['warmHours', '00:00-23:59', { days: '*', from: 0, until: 1439 }],
    ['warmHours', 'SUN 08:05-09:00', { days: 'SUN', from: 485, until: 540 }],
    ['warmHours', 'SAT-MON 08:00-09:00', { days: 'SAT,SUN,MON', from: 480, until: 540 }],
  ];
  test.each(right)('%s=%j is taken', (name, value, read) => {
    expect(readConfig({ ...backendOf(name), [name]: value })).toMatchObject({ [name]: read });
  });
});

describe('options of another backend', () => {
  const own = {
    sagemaker: {
      scaleInPolicy: 'none',
      maxInstances: 1,
      minCopies: 0,
      idleMinutes: 5,
      warmHours: '08:00-09:00',
      timeZone: 'UTC',
      maxBatchSize: 1,
      securityGroupIds: 'sg-0123abcd',
    },
    ec2: {
      idleSeconds: 60,
      zones: 1,
      diskGb: 30,
      machineImage: 'recommended',
      generation: 'second',
      sessionManager: false,
      vpcId: 'vpc-0123abcd',
    },
  } as const;
  const cases = (['sagemaker', 'ec2'] as const).flatMap((name) =>
    Object.entries(own[name]).map(([option, value]) => [name, option, value] as const),
  );
  test.each(cases)('of %s: %s=%j is refused by name, even with its default', (name, option, value) => {
    const backend = name === 'ec2' ? 'sagemaker' : 'ec2';
    expect(complaint({ backend, [option]: value })).toContain(
      `${option}: is an option of backend ${name}, and this is ${backend}`,
    );
  });

  test('and types by what they should be', () => {
    expect(complaint({ backend: 'ec2', instanceType: 'ml.g5.xlarge' })).toContain(
      'instanceType: ml.g5.xlarge is no type of backend ec2: g5.xlarge',
    );
    expect(complaint({ instanceType: 'g5.xlarge' })).toContain(
      'instanceType: g5.xlarge is no type of backend sagemaker: ml.g5.xlarge',
    );
    expect(complaint({ backend: 'ec2', fallbackInstanceTypes: 'g6.xlarge,ml.g5.xlarge' })).toContain(
      'fallbackInstanceTypes: ml.g5.xlarge is no type of backend ec2: g5.xlarge',
    );
  });
});

describe('what is right alone, but not together', () => {
  const pairs: [Record<string, unknown>, string][] = [
    [
      { fallbackInstanceTypes: 'ml.g4dn.xlarge' },
      'fallbackInstanceTypes: ml.g4dn.xlarge is the instanceType',
    ],
    [{ minCopies: 2 }, 'minCopies: is more than maxInstances (1)'],
    [{ minCopies: 1, warmHours: '08:00-09:00' }, 'warmHours: minCopies keeps a copy up'],
    [{ timeZone: 'UTC' }, 'timeZone: says nothing without warmHours'],
    [{ precision: 'float32' }, 'precision: dialect cuda computes in float16'],
    [{ decoder: 'taesd', taesd: 'none' }, 'decoder: taesd is none'],
    [{ monthlyBudget: 10 }, 'monthlyBudget: needs alarmEmail'],
    [{ subnetIds: 'subnet-0123abcd' }, 'subnetIds: go together with securityGroupIds'],
    [{ securityGroupIds: 'sg-0123abcd' }, 'subnetIds: go together with securityGroupIds'],
    [{ backend: 'ec2', vpcId: 'vpc-0123abcd' }, 'vpcId: goes together with subnetIds'],
    [{ backend: 'ec2', subnetIds: 'subnet-0123abcd' }, 'vpcId: goes together with subnetIds'],
    [
      { backend: 'ec2', vpcId: 'vpc-0123abcd', subnetIds: 'subnet-0123abcd', zones: 2 },
      'zones: the subnets say which they are',
    ],
    [
      { backend: 'ec2', vpcId: 'vpc-0123abcd', subnetIds: 'subnet-00000001,subnet-00000002,subnet-00000003' },
      'subnetIds: one instance in each, and two at most',
    ],
    [{ modelUri: 's3://bucket/prefix', precision: 'float32' }, 'precision: modelUri names a finished bundle'],
  ];
  test.each(pairs)('%j', (context, message) => {
    expect(complaint(context)).toContain(message);
  });
});
