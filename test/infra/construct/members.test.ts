import { RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { type IVpc, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { SdTurbo, type SdTurboProps } from '../../../infra/index.js';
import { policyLines } from '../../support/infra/policy-lines.js';
import { at, makeApp, type Properties, Service } from '../../support/infra/synth-service.js';

/** A stack of somebody's own. */
function shop(build: (stack: Stack) => void): Service {
  const { app, folder } = makeApp();
  const stack = new Stack(app, 'Shop', { env: { region: 'eu-central-1' } });
  build(stack);
  return new Service(stack, folder);
}

const ids = (resources: [string, unknown][]) => resources.map(([id]) => id);

describe('a function of the app', () => {
  let pictures: SdTurbo | undefined;
  const service = shop((stack) => {
    pictures = new SdTurbo(stack, 'Pictures');
    const caller = (id: string) =>
      new Role(stack, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const id of ['First', 'Second']) pictures.grantPredict(caller(id));
  });
  const secret = service.id('AWS::SecretsManager::Secret');

  test('may read one secret, whoever asks, and nothing else', () => {
    for (const id of ['First', 'Second'])
      expect(policyLines(service, id)).toEqual([
        'secretsmanager:DescribeSecret on <Pictures/CallersKey/Secret>',
        'secretsmanager:GetSecretValue on <Pictures/CallersKey/Secret>',
      ]);
  });

  test('its value is an API key in the plan of the others, and stands in no template', () => {
    const key = service.id('AWS::ApiGateway::ApiKey', 'Pictures/CallersKey');
    const value = at(service.properties('AWS::ApiGateway::ApiKey', 'Pictures/CallersKey'), 'Value');
    expect(value).toEqual({
      'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: secret }, ':SecretString:::}}']],
    });
    const keys = service.all('AWS::ApiGateway::UsagePlanKey').map(([, { Properties }]) => Properties);
    expect(keys.map(({ KeyId }) => at(KeyId, 'Ref'))).toContain(key);
    expect(new Set(keys.map(({ UsagePlanId }) => JSON.stringify(UsagePlanId))).size).toBe(1);
    expect(service.properties('AWS::SecretsManager::Secret')['GenerateSecretString']).toEqual({
      ExcludePunctuation: true,
      PasswordLength: 40,
    });
  });

  test('without one there is no secret, which would cost', () => {
    const alone = shop((stack) => new SdTurbo(stack, 'Pictures'));
    expect(alone.all('AWS::SecretsManager::Secret')).toEqual([]);
    expect(alone.all('AWS::ApiGateway::ApiKey')).toHaveLength(1);
  });

  test('nothing stands beside the construct: no output, no parameter, no resource', () => {
    const alone = shop((stack) => new SdTurbo(stack, 'Pictures', { backend: 'ec2' }));
    const elsewhere = ids(Object.entries(alone.template.Resources)).filter(
      (id) => !alone.path(id)?.match(/^(Pictures|AWS679f53fac002430cb0da5b7982bd2287)\//),
    );
    expect(elsewhere).toEqual([]);
    expect(alone.template.Outputs).toBeUndefined();
    const own = Object.keys(alone.template.Parameters).filter(
      (name) => !/^(BootstrapVersion|SsmParameterValue)/.test(name),
    );
    expect(own).toEqual([]);
  });
});

describe('keys and addresses', () => {
  test('a key from a secret of the app', () => {
    const keyValue = SecretValue.secretsManager('shop/pictures');
    const service = shop((stack) => new SdTurbo(stack, 'Pictures', { api: { keyValue } }));
    expect(service.properties('AWS::ApiGateway::ApiKey')['Value']).toBe(
      '{{resolve:secretsmanager:shop/pictures:SecretString:::}}',
    );
  });

  test('a domain, with its record and a base path', () => {
    let url: unknown;
    const service = shop((stack) => {
      const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', {
        hostedZoneId: 'Z123',
        zoneName: 'example.com',
      });
      const certificate = Certificate.fromCertificateArn(
        stack,
        'Certificate',
        'arn:aws:acm:eu-central-1:123456789012:certificate/0123abcd',
      );
      const customDomain = { domainName: 'pictures.example.com', certificate, hostedZone, basePath: 'v1' };
      url = new SdTurbo(stack, 'Pictures', { api: { customDomain } }).url;
    });
    expect(url).toBe('https://pictures.example.com/v1');
    expect(service.properties('AWS::ApiGateway::DomainName')).toMatchObject({
      DomainName: 'pictures.example.com',
      EndpointConfiguration: { Types: ['REGIONAL'] },
      SecurityPolicy: 'TLS_1_2',
    });
    expect(service.properties('AWS::ApiGateway::BasePathMapping')).toMatchObject({
      BasePath: 'v1',
      RestApiId: { Ref: service.id('AWS::ApiGateway::RestApi') },
      Stage: { Ref: service.id('AWS::ApiGateway::Stage') },
    });
    expect(service.properties('AWS::Route53::RecordSet')).toMatchObject({
      Name: 'pictures.example.com.',
      Type: 'A',
      HostedZoneId: 'Z123',
    });
  });
});

describe('logs of the gateway', () => {
  const logged = (accessLog: 'set-role' | 'keep-role' | 'none') =>
    shop((stack) => new SdTurbo(stack, 'Pictures', { api: { accessLog } }));

  test.each(['set-role', 'keep-role', 'none'] as const)(
    "%s: no other stack's role is replaced, whatever is asked for",
    (mode) => {
      const service = logged(mode);
      expect(service.all('AWS::ApiGateway::Account')).toEqual([]);
      expect(service.all('Custom::GatewayLogRole')).toHaveLength(mode === 'set-role' ? 1 : 0);
      const stage = service.properties('AWS::ApiGateway::Stage', 'Pictures');
      expect('AccessLogSetting' in stage).toBe(mode !== 'none');
    },
  );
});

describe('networks of the app', () => {
  /** With the compiler's `exactOptionalPropertyTypes` CDK's own class is no `IVpc`. */
  const makeVpc = (stack: Stack, maxAzs: number) => new Vpc(stack, 'Vpc', { maxAzs }) as IVpc;
  const inVpc = (props: (vpc: IVpc, stack: Stack) => SdTurboProps) =>
    shop((stack) => new SdTurbo(stack, 'Pictures', props(makeVpc(stack, 2), stack)));
  const vpcOf = (service: Service) => ({ Ref: service.id('AWS::EC2::VPC', 'Vpc') });

  test('instances: public subnets, an address, and nobody comes in', () => {
    const service = inVpc((vpc) => ({ backend: 'ec2', instances: { zones: 2 }, network: { vpc } }));
    expect(service.all('AWS::EC2::VPC')).toHaveLength(1);
    const instances = service.all('AWS::EC2::Instance').map(([, { Properties }]) => Properties);
    const interfaces = instances.map((instance) => at<Properties>(instance, 'NetworkInterfaces', 0));
    const subnets = interfaces.map(({ SubnetId }) => service.path(at<string>(SubnetId, 'Ref')));
    expect(subnets).toEqual(['Vpc/PublicSubnet1/Subnet', 'Vpc/PublicSubnet2/Subnet']);
    expect(interfaces.map(({ AssociatePublicIpAddress }) => AssociatePublicIpAddress)).toEqual([true, true]);
    const group = service.properties('AWS::EC2::SecurityGroup', 'Pictures');
    expect(group).toMatchObject({ VpcId: vpcOf(service) });
    expect(group).not.toHaveProperty('SecurityGroupIngress');
  });

  test('instances: those with a NAT, where they are asked for', () => {
    const subnets = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
    const service = inVpc((vpc) => ({ backend: 'ec2', network: { vpc, subnets } }));
    const [, instance] = service.all('AWS::EC2::Instance')[0] as [string, { Properties: Properties }];
    const first = at<Properties>(instance.Properties, 'NetworkInterfaces', 0);
    expect(service.path(at<string>(first['SubnetId'], 'Ref'))).toBe('Vpc/PrivateSubnet1/Subnet');
    expect(first).not.toHaveProperty('AssociatePublicIpAddress');
  });

  test('instances: too few subnets are told by name', () => {
    const make = () =>
      shop((stack) => {
        const vpc = makeVpc(stack, 1);
        new SdTurbo(stack, 'Pictures', { backend: 'ec2', instances: { zones: 2 }, network: { vpc } });
      });
    expect(make).toThrow(/network\.subnets: 2 .*\(instances\.zones\), and 1 are there/);
  });

  test('containers: private subnets and a group of their own, or those that are given', () => {
    const own = inVpc((vpc) => ({ network: { vpc } }));
    const config = own.properties('AWS::SageMaker::EndpointConfig');
    const subnets = at<{ Ref: string }[]>(config, 'VpcConfig', 'Subnets').map(({ Ref }) => own.path(Ref));
    expect(subnets).toEqual(['Vpc/PrivateSubnet1/Subnet', 'Vpc/PrivateSubnet2/Subnet']);
    const group = own.id('AWS::EC2::SecurityGroup', 'Pictures');
    expect(at(config, 'VpcConfig', 'SecurityGroupIds')).toEqual([{ 'Fn::GetAtt': [group, 'GroupId'] }]);

    const given = inVpc((vpc, stack) => ({
      network: { vpc, securityGroups: [new SecurityGroup(stack, 'Mine', { vpc })] },
    }));
    const mine = given.id('AWS::EC2::SecurityGroup');
    expect(given.path(mine)).toBe('Mine/Resource');
  });
});

describe('alarms and metrics', () => {
  test("a topic of the app's own gets every alarm", () => {
    let told: unknown;
    const service = shop((stack) => {
      const topic = new Topic(stack, 'Topic');
      const pictures = new SdTurbo(stack, 'Pictures', { alarms: { topic } });
      told = pictures.alarmTopic === topic;
    });
    expect(told).toBe(true);
    const topic = service.id('AWS::SNS::Topic');
    expect(service.path(topic)).toBe('Topic/Resource');
    const alarms = service
      .all('AWS::CloudWatch::Alarm')
      .filter(([id]) => service.path(id)?.startsWith('Pictures/Alarms/'));
    expect(alarms.length).toBeGreaterThan(3);
    for (const [, { Properties }] of alarms)
      expect(Properties['AlarmActions']).toContainEqual({ Ref: topic });
  });

  test('metrics are those of this service, as an alarm of the app takes them', () => {
    let name: string | undefined;
    const service = shop((stack) => {
      const pictures = new SdTurbo(stack, 'Pictures');
      name = pictures.serviceName;
      const metrics = {
        Requests: pictures.metricRequests('failed'),
        Predictions: pictures.metricPredictions('succeeded'),
        Wakes: pictures.metricWakes(),
        ColdStartSeconds: pictures.metricColdStartSeconds(),
        QueueAgeSeconds: pictures.metricQueueAgeSeconds({ statistic: 'p90' }),
        WebhookFailures: pictures.metricWebhookFailures(),
        UnetMs: pictures.metric('UnetMs', { statistic: 'p50' }),
      };
      for (const [id, metric] of Object.entries({
        ...metrics,
        Errors: pictures.metricServerErrors(),
        Minutes: pictures.metricInstanceMinutes(),
      }))
        new Alarm(stack, id, { metric, threshold: 1, evaluationPeriods: 1 });
    });
    const alarm = (id: string) => service.properties('AWS::CloudWatch::Alarm', `${id}/`);
    const measured = (id: string) => at(alarm(id), 'Metrics', 0, 'MetricStat');
    const dimensions = [{ Name: 'service', Value: name }];
    const expected = { Wakes: 'Sum', ColdStartSeconds: 'Maximum', QueueAgeSeconds: 'p90', UnetMs: 'p50' };
    for (const [MetricName, Stat] of Object.entries(expected))
      expect(measured(MetricName)).toMatchObject({
        Metric: { Namespace: 'SdTurbo', MetricName, Dimensions: dimensions },
        Stat,
      });
    expect(at(measured('Requests'), 'Metric', 'Dimensions')).toContainEqual({
      Name: 'outcome',
      Value: 'failed',
    });
    expect(alarm('Minutes')).toMatchObject({ MetricName: 'CPUUtilization', Period: 3600 });
    expect(JSON.stringify(alarm('Errors'))).toContain('FILL(errors, 0)');
  });
});

test('what is retained is not emptied', () => {
  const removalPolicy = RemovalPolicy.RETAIN;
  const service = shop((stack) => new SdTurbo(stack, 'Pictures', { removalPolicy }));
  const buckets = service.all('AWS::S3::Bucket').map(([, { DeletionPolicy }]) => DeletionPolicy);
  expect(buckets).toEqual(['Retain', 'Retain']);
  expect(service.all('Custom::EmptyBucket')).toEqual([]);
  expect(service.resource('Custom::ModelBundle').DeletionPolicy).toBe('RetainExceptOnCreate');
});
