import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  at,
  EVERYTHING_OF_EC2,
  type Properties,
  type Service,
  synthService,
} from '../../../support/infra/synth-service.js';
import { ROOT } from '../../../support/reference.js';

// Instances that are kept stopped, in the template: what makes them cheap, closed, and proven by the deploy.

const service = synthService({ backend: 'ec2' });
const instance = service.resource('AWS::EC2::Instance');
const everything = synthService(EVERYTHING_OF_EC2);

/** The user data with a reference in the place of what only CloudFormation knows. */
function userDataOf(of: Service, path = ''): string {
  const encoded = at(of.properties('AWS::EC2::Instance', path), 'UserData', 'Fn::Base64');
  const parts = at<unknown[]>(encoded, 'Fn::Join', 1);
  return parts.map((part) => (typeof part === 'string' ? part : nameOf(of, part))).join('');
}

function nameOf(of: Service, part: unknown): string {
  const { Ref, 'Fn::Sub': text } = part as Properties;
  return `<${of.path(String(Ref)) ?? Ref ?? text}>`;
}

function environment(path: string): Properties {
  return at(service.properties('AWS::Lambda::Function', path), 'Environment', 'Variables');
}

describe('instance', () => {
  const properties = instance.Properties;

  test('powering off stops it, and the disk is all that is billed then', () => {
    expect(properties).toMatchObject({
      InstanceType: 'g4dn.xlarge',
      InstanceInitiatedShutdownBehavior: 'stop',
      BlockDeviceMappings: [
        {
          DeviceName: '/dev/xvda',
          Ebs: { VolumeType: 'gp3', VolumeSize: 30, Encrypted: true, DeleteOnTermination: true },
        },
      ],
    });
    expect(
      at(
        synthService({ backend: 'ec2', diskGb: 40 }).properties('AWS::EC2::Instance'),
        ...['BlockDeviceMappings', 0, 'Ebs', 'VolumeSize'],
      ),
    ).toBe(40);
  });

  test('has no key pair; its metadata ask for a token, and reach one hop into a container', () => {
    expect(properties).not.toHaveProperty('KeyName');
    expect(properties['MetadataOptions']).toEqual({ HttpTokens: 'required', HttpPutResponseHopLimit: 2 });
  });

  test('a deploy succeeds when its first boot says that it drew', () => {
    expect(at(instance, 'CreationPolicy')).toEqual({ ResourceSignal: { Count: 1, Timeout: 'PT40M' } });
  });

  test('is made when the way out, its permissions and the weights are there', () => {
    const needed = [
      service.id('AWS::EC2::Route'),
      service.id('AWS::EC2::VPCEndpoint'),
      service.id('AWS::IAM::Policy', 'Instances/Worker'),
      service.id('Custom::ModelBundle'),
    ];
    expect(instance.DependsOn).toEqual(expect.arrayContaining(needed));
  });

  test('the machine image is what AWS recommends at the deploy, or what was named; the output says which', () => {
    const { Ref } = properties['ImageId'] as { Ref: string };
    expect(service.template.Parameters[Ref]).toEqual({
      Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
      Default: '/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id',
    });
    expect(service.template.Outputs['MachineImage']?.Value).toEqual({ Ref });
    for (const [, { Properties }] of everything.all('AWS::EC2::Instance'))
      expect(Properties['ImageId']).toBe('ami-0123abcd');
    expect(everything.template.Outputs['MachineImage']?.Value).toBe('ami-0123abcd');
  });

  test('what is replaced, and what that needs, is said before the deploy', () => {
    const told = ({ stack }: Service) =>
      stack.node
        .findAll()
        .flatMap(({ node }) =>
          node.metadata.filter(({ type }) => type === 'aws:cdk:info').map(({ data }) => String(data)),
        );
    expect(told(service).join()).toContain('the instance is replaced, although `cdk diff` does not say so');
    expect(told(everything).join()).not.toContain('cdk diff');
    for (const one of [service, everything])
      expect(told(one).join()).toMatch(
        /needs the quota for two while the old one is awake.*deploy while it sleeps/,
      );
  });
});

describe('a change of what it is made of is another instance, and nothing else is', () => {
  const id = (options: object) => synthService({ backend: 'ec2', ...options }).id('AWS::EC2::Instance');
  const first = service.id('AWS::EC2::Instance');
  test.each([
    [{ instanceType: 'g5.xlarge' }],
    [{ diskGb: 31 }],
    [{ idleSeconds: 61 }],
    [{ attentionKernels: 'exact' }],
    [{ revision: 'a'.repeat(40) }],
    [{ machineImage: 'ami-0123abcd' }],
    [{ retentionDays: 2 }],
    [{ generation: '2' }],
  ])('%j: another', (options) => {
    expect(id(options)).not.toBe(first);
  });
  test.each([
    [{}],
    [{ rateLimit: 3 }],
    [{ alarmEmail: 'me@example.com' }],
    [{ fallbackInstanceTypes: 'g6.xlarge' }],
  ])('%j: the same', (options) => {
    expect(id(options)).toBe(first);
  });
});

describe('user data', () => {
  const text = userDataOf(service);

  test('EC2 takes 16 KB; names of resources may be a kilobyte', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(15_000);
  });

  test('tells the machine, and the worker, what they need', () => {
    const own = service.id('AWS::EC2::Instance');
    expect(text).toMatch(/^REGION=<AWS::Region>$/m);
    expect(text).toMatch(/^LOG_GROUP=<Instances\/Logs\/Resource>$/m);
    expect(text).toMatch(/^IMAGE=<\$\{AWS::AccountId\}\.dkr\.ecr\.\$\{AWS::Region\}.*:[0-9a-f]{64}>$/m);
    expect(text).toMatch(new RegExp(`^RESOURCE=${own}$`, 'm'));
    expect(text).toMatch(/^STACK=sd-turbo$/m);
    const [, worker = ''] = /worker\.env <<'END OF FILE'\n([\s\S]*?)END OF FILE/.exec(text) ?? [];
    const told = Object.fromEntries(
      worker
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    );
    expect(told).toEqual({
      MODEL_URI: expect.stringMatching(/^s3:\/\/<Model\/Weights.*>\/bundles\/sd-turbo\/cuda-float16-/),
      AWS_REGION: '<AWS::Region>',
      IDLE_SECONDS: '60',
      RESULTS_BUCKET: '<Results/Objects/Bucket/Resource>',
      RETENTION_DAYS: '1',
      QUEUE_URL: '<Predictions/Queue/Resource>',
      DRAW_QUEUE_URL: '<Instances/Draw/Queue/Resource>',
      POWERTOOLS_SERVICE_NAME: 'sd-turbo',
      POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
    });
  });

  test('holds the files as they stand in the repository', () => {
    for (const name of ['first-boot.sh', 'run-container.sh', 'power-off.sh', 'worker.service'])
      expect(text).toContain(readFileSync(join(ROOT, 'infra/backends/ec2/machine', name), 'utf8'));
  });

  test('two instances are told their own names', () => {
    for (const number of [1, 2]) {
      const path = `Instances/Machine${number}/`;
      const own = everything.id('AWS::EC2::Instance', path);
      expect(userDataOf(everything, path)).toContain(`RESOURCE=${own}\n`);
      expect(userDataOf(everything, path)).toContain('ATTENTION_KERNELS=exact\n');
    }
  });
});

describe('network', () => {
  test('public subnets, no NAT, an endpoint for S3 that is free; nobody is let in, HTTPS goes out', () => {
    expect(service.all('AWS::EC2::NatGateway')).toEqual([]);
    expect(service.all('AWS::EC2::Subnet')).toHaveLength(1);
    expect(service.properties('AWS::EC2::VPCEndpoint')['VpcEndpointType']).toBe('Gateway');
    const group = service.properties('AWS::EC2::SecurityGroup');
    expect(group).not.toHaveProperty('SecurityGroupIngress');
    expect(service.all('AWS::EC2::SecurityGroupIngress')).toEqual([]);
    expect(group['SecurityGroupEgress']).toEqual([
      expect.objectContaining({ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }),
    ]);
    expect(at(instance.Properties, 'NetworkInterfaces', 0)).toMatchObject({
      AssociatePublicIpAddress: true,
      GroupSet: [{ 'Fn::GetAtt': [service.id('AWS::EC2::SecurityGroup'), 'GroupId'] }],
    });
  });

  test('a second zone leaves the first as it is', () => {
    const two = synthService({ backend: 'ec2', zones: 2 });
    const blocks = two.all('AWS::EC2::Subnet').map(([, { Properties }]) => Properties['CidrBlock']);
    expect(blocks).toEqual(['10.0.0.0/24', '10.0.1.0/24']);
    expect(service.properties('AWS::EC2::Subnet')['CidrBlock']).toBe('10.0.0.0/24');
    const [[first, made] = [], [second, { DependsOn = [] } = {}] = []] = two.all('AWS::EC2::Instance');
    expect(second).toContain('Machine2');
    expect(DependsOn).toContain(first);
    expect(at(made?.Properties, 'NetworkInterfaces', 0, 'SubnetId')).toEqual({
      Ref: two.all('AWS::EC2::Subnet')[0]?.[0],
    });
  });

  test('zones by name', () => {
    const zones = everything
      .all('AWS::EC2::Subnet')
      .map(([, { Properties }]) => Properties['AvailabilityZone']);
    expect(zones).toEqual(['us-east-1b', 'us-east-1c']);
  });

  test("somebody else's: nothing is made in it but the group, and its subnets say who gets an address", () => {
    const other = synthService({
      backend: 'ec2',
      vpcId: 'vpc-0123abcd',
      subnetIds: 'subnet-0123abcd,subnet-0123abce',
    });
    for (const type of ['VPC', 'Subnet', 'VPCEndpoint', 'InternetGateway', 'Route'])
      expect(other.all(`AWS::EC2::${type}`)).toEqual([]);
    expect(other.properties('AWS::EC2::SecurityGroup')['VpcId']).toBe('vpc-0123abcd');
    const interfaces = other
      .all('AWS::EC2::Instance')
      .map(([, { Properties }]) => at(Properties, 'NetworkInterfaces', 0));
    expect(interfaces.map(({ SubnetId }) => SubnetId)).toEqual(['subnet-0123abcd', 'subnet-0123abce']);
    for (const one of interfaces) expect(one).not.toHaveProperty('AssociatePublicIpAddress');
  });
});

describe('work', () => {
  test.each(['Api/Handler', 'Worker/Consumer', 'Worker/DeadLetters', 'Instances/Stopped/Handler'])(
    '%s knows the instances, in the order of their zones, and both queues',
    (path) => {
      expect(environment(path)).toMatchObject({
        BACKEND: 'ec2',
        INSTANCE_IDS: { Ref: service.id('AWS::EC2::Instance') },
        INSTANCE_TYPES: 'g4dn.xlarge,g4dn.2xlarge,g5.xlarge,g6.xlarge',
        DRAW_QUEUE_URL: { Ref: service.id('AWS::SQS::Queue', 'Instances/Draw/Queue') },
        QUEUE_URL: { Ref: service.id('AWS::SQS::Queue', 'Predictions/Queue') },
        RESULTS_BUCKET: { Ref: service.id('AWS::S3::Bucket', 'Results') },
        POWERTOOLS_SERVICE_NAME: 'sd-turbo',
      });
      expect(environment(path)).not.toHaveProperty('ENDPOINT_NAME');
    },
  );

  test('two instances', () => {
    const two = synthService({ backend: 'ec2', zones: 2 });
    const ids = at(
      two.properties('AWS::Lambda::Function', 'Api/Handler'),
      ...['Environment', 'Variables', 'INSTANCE_IDS', 'Fn::Join', 1],
    );
    expect(ids).toEqual([
      { Ref: two.all('AWS::EC2::Instance')[0]?.[0] },
      ',',
      { Ref: two.all('AWS::EC2::Instance')[1]?.[0] },
    ]);
  });

  test('three crashes on one message give it up; a worker that is gone keeps none longer than a minute', () => {
    expect(service.properties('AWS::SQS::Queue', 'Instances/Draw/Queue')).toMatchObject({
      VisibilityTimeout: 60,
      SqsManagedSseEnabled: true,
      RedrivePolicy: {
        maxReceiveCount: 3,
        deadLetterTargetArn: {
          'Fn::GetAtt': [service.id('AWS::SQS::Queue', 'Instances/Draw/DeadLetters'), 'Arn'],
        },
      },
    });
  });

  test('only instances take what is to be drawn; what both queues give up ends in one function', () => {
    const pairs = service
      .all('AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => [
        service.path(at<string[]>(Properties, 'EventSourceArn', 'Fn::GetAtt')[0] as string),
        service.path(at<string>(Properties, 'FunctionName', 'Ref')),
      ]);
    expect(pairs.map((pair) => pair.join(' -> ').replaceAll('/Resource', ''))).toEqual([
      'Predictions/Queue -> Worker/Consumer/Function',
      'Predictions/DeadLetters -> Worker/DeadLetters/Function',
      'Instances/Draw/DeadLetters -> Worker/DeadLetters/Function',
    ]);
  });

  test('when an instance of this stack has stopped, a function looks whether anything waits', () => {
    const rule = service.properties('AWS::Events::Rule');
    expect(rule['EventPattern']).toEqual({
      source: ['aws.ec2'],
      'detail-type': ['EC2 Instance State-change Notification'],
      detail: { state: ['stopped'], 'instance-id': [{ Ref: service.id('AWS::EC2::Instance') }] },
    });
    expect(at(rule, 'Targets', 0, 'Arn')).toEqual({
      'Fn::GetAtt': [service.id('AWS::Lambda::Function', 'Instances/Stopped'), 'Arn'],
    });
  });
});

describe('what a person is told of', () => {
  const alarm = (path: string, of = service) => of.properties('AWS::CloudWatch::Alarm', `Alarms/${path}`);

  test('an instance that is up for twelve hours is stopped, each by its own alarm', () => {
    const stop = {
      'Fn::Join': [
        '',
        ['arn:', { Ref: 'AWS::Partition' }, ':automate:', { Ref: 'AWS::Region' }, ':ec2:stop'],
      ],
    };
    expect(alarm('AwakeForLong')).toMatchObject({
      Namespace: 'AWS/EC2',
      MetricName: 'CPUUtilization',
      Dimensions: [{ Name: 'InstanceId', Value: { Ref: service.id('AWS::EC2::Instance') } }],
      Statistic: 'SampleCount',
      Period: 3600,
      EvaluationPeriods: 12,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [stop],
    });
    const actions = at<unknown[]>(alarm('AwakeForLong2', everything), 'AlarmActions');
    expect(actions).toEqual([stop, { Ref: everything.id('AWS::SNS::Topic') }]);
  });

  test('the worker ends by itself an hour earlier', () => {
    expect(readFileSync(join(ROOT, 'infra/backends/ec2/machine/worker.service'), 'utf8')).toContain(
      '\nRuntimeMaxSec=11h\n',
    );
  });

  test('alarms speak of instances, and none is of an endpoint', () => {
    const alarms = service.all('AWS::CloudWatch::Alarm');
    const texts = alarms.map(([, { Properties }]) => String(Properties['AlarmDescription']));
    expect(texts.join()).toMatch(/no instance came up for 20 minutes/);
    expect(texts.filter((text) => text.includes('endpoint'))).toEqual([]);
    expect(alarms.map(([id]) => id).filter((id) => id.includes('FailedWake'))).toEqual([]);
  });

  test('a message that waits longer than any wake takes', () => {
    expect(alarm('NoWake')).toMatchObject({
      MetricName: 'ApproximateAgeOfOldestMessage',
      Namespace: 'AWS/SQS',
      Threshold: 300,
      Statistic: 'Maximum',
    });
  });

  test('the dashboard counts what is billed, over all instances, in hours and dollars', () => {
    const body = JSON.stringify(at(everything.properties('AWS::CloudWatch::Dashboard'), 'DashboardBody'));
    expect(body).toContain('FILL(m0, 0) + FILL(m1, 0)');
    expect(body).toContain('hours * 0.526');
    expect(body).toContain('To be drawn: messages');
    expect(body).not.toContain('AWS/SageMaker');
  });
});

test('there is nothing of SageMaker in it, and no name that is taken in the account', () => {
  const types = Object.values(service.template.Resources).map(({ Type }) => Type);
  expect(types.filter((type) => /SageMaker|ApplicationAutoScaling/.test(type))).toEqual([]);
});
