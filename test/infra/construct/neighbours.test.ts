import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type App, Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { SdTurbo } from '../../../infra/index.js';
import { makeApp, Service } from '../../support/infra/synth-service.js';
import { findMotoServer } from '../../support/servers/moto-server.js';

// Services beside each other: two in one stack, two stacks in one account, one stack in two regions.

const run = promisify(execFile);
const cfnLint = join(dirname(findMotoServer() ?? ''), 'cfn-lint');

/** Properties that give something a name which another of its type cannot have in the account, or in its region. */
const NAMES = /^(\w*Name|Name|ResourceId|Id|DashboardName)$/;
/** Names that are another's, of the function's own making, or a description. */
const NO_NAMES: Readonly<Record<string, RegExp>> = {
  // For people.
  'AWS::ApiGateway::RestApi': /^Name$/,
  // Below their API, their role, their scaling target, their endpoint, their metric.
  'AWS::ApiGateway::Stage': /^StageName$/,
  'AWS::ApiGateway::Authorizer': /^Name$/,
  'AWS::IAM::Policy': /^PolicyName$/,
  'AWS::SageMaker::InferenceComponent': /^(EndpointName|VariantName)$/,
  'AWS::SageMaker::Endpoint': /^EndpointConfigName$/,
  'AWS::CloudWatch::Alarm': /^MetricName$/,
  'AWS::Lambda::EventSourceMapping': /^FunctionName$/,
  'AWS::Lambda::Permission': /^FunctionName$/,
  'AWS::SNS::Topic': /^DisplayName$/,
  'AWS::EC2::VPCEndpoint': /^ServiceName$/,
  // The account's one, on purpose.
  'Custom::GatewayLogRole': /^RoleName$/,
};

/** `TYPE PROPERTY value` of everything that has a name of ours. */
function names({ template }: Service): string[] {
  return Object.values(template.Resources).flatMap(({ Type, Properties }) =>
    Object.entries(Properties ?? {})
      .filter(([name]) => NAMES.test(name) && !NO_NAMES[Type]?.test(name))
      .filter(([, value]) => !isReference(value))
      .map(([name, value]) => `${Type} ${name} ${JSON.stringify(value)}`),
  );
}

/** To a resource, which is another one in each construct. */
function isReference(value: unknown): boolean {
  return typeof value === 'object' && !JSON.stringify(value).includes('AWS::');
}

function shop(app: App, id: string, region = 'eu-central-1', stackName?: string): Stack {
  const stack = new Stack(app, id, { env: { region }, ...(stackName !== undefined && { stackName }) });
  new SdTurbo(stack, 'Fast', { backend: 'ec2', instances: { zones: 2 } });
  new SdTurbo(stack, 'Easy', { alarms: { email: 'me@example.com' } });
  return stack;
}

const APPS: [string, ReturnType<typeof makeApp>][] = [
  ["with this repository's flags of CDK", makeApp()],
  ['in an app without any', makeApp({})],
];

describe.each(APPS)('two in one stack, of different backends, %s', (_, { app, folder }) => {
  const stack = shop(app, 'Shop');
  const service = new Service(stack, folder);

  test('nothing of theirs has the same name', () => {
    const all = names(service);
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
  });

  test('each has what it needs, and neither takes from the other', () => {
    const prefixes = Object.keys(service.template.Resources).map((id) => service.path(id)?.split('/')[0]);
    expect(new Set(prefixes)).toEqual(new Set(['Fast', 'Easy', 'AWS679f53fac002430cb0da5b7982bd2287']));
    const crossing = Object.entries(service.template.Resources).filter(([id, { Properties }]) => {
      const own = service.path(id)?.split('/')[0];
      const used = [...JSON.stringify(Properties ?? {}).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)];
      const others = used.map(([, other]) => service.path(other as string)?.split('/')[0]);
      return others.some(
        (other) => /^(Fast|Easy)$/.test(other ?? '') && other !== own && /^(Fast|Easy)$/.test(own ?? ''),
      );
    });
    // CDK has one function for all calls of its own, with one role: the second one's permission to scan goes to it.
    expect(crossing.map(([id]) => service.path(id))).toEqual([
      'Easy/ImageScan/Scan/CustomResourcePolicy/Resource',
    ]);
  });

  test('cdk-nag finds nothing', () => {
    const { success, violations } = new AwsSolutionsChecks(app).validateScope(stack);
    expect([success, violations]).toEqual([true, []]);
  });

  test.skipIf(!existsSync(cfnLint))('cfn-lint finds nothing', async () => {
    const template = join(folder, 'cdk.out', 'Shop.template.json');
    const { stdout } = await run(cfnLint, [template]).catch((error) => error);
    expect(stdout).toBe('');
  });
});

test('two stacks in one account, of one app or of two: no name is the same', () => {
  const one = makeApp();
  const stacks = [shop(one.app, 'Shop'), shop(one.app, 'Other'), shop(one.app, 'Third', undefined, 'Shop-3')];
  const services = stacks.map((stack) => new Service(stack, one.folder));
  // Of another app, where the constructs have the same ids.
  const two = makeApp();
  services.push(new Service(shop(two.app, 'Shop', undefined, 'Shop-4'), two.folder));
  const all = services.flatMap(names);
  expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
});

test("one stack in two regions: what is the whole account's is named after its region", () => {
  const services = ['eu-central-1', 'us-east-1'].map((region) => {
    const { app, folder } = makeApp();
    return new Service(shop(app, 'Shop', region), folder);
  });
  const ofAccount = /^AWS::(CloudWatch::Dashboard|IAM|S3|Route53|CloudFront|Budgets)\b/;
  const [here = [], there = []] = services.map((service) =>
    names(service).filter((name) => ofAccount.test(name)),
  );
  expect(here.map((name) => name.split(' ').slice(0, 2))).toEqual([
    ['AWS::CloudWatch::Dashboard', 'DashboardName'],
    ['AWS::CloudWatch::Dashboard', 'DashboardName'],
  ]);
  expect(here.filter((name) => there.includes(name))).toEqual([]);
});
