import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Service, synthService } from '../support/infra/synth-service.js';
import { ROOT } from '../support/reference.js';

// An update must replace nothing that holds data or that somebody has the address of. CloudFormation knows a resource by
// its logical id, and replaces one of these also where its name, or its value, becomes another.

const GOLDEN = join(ROOT, 'test/fixtures/infra/layout.json');
const LASTING = new Set([
  'AWS::ApiGateway::ApiKey',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::ApiGateway::UsagePlan',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SageMaker::Endpoint',
  'AWS::SageMaker::InferenceComponent',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
  'Custom::EmptyBucket',
  'Custom::ModelBundle',
  'Custom::WebhookSecret',
]);
/** Properties that say which one it is. */
const NAMES =
  /^(BucketName|Bucket|CidrBlock|EndpointName|GroupDescription|GroupName|InferenceComponentName|LogGroupName|Name|QueueName|StageName|TopicName|Value)$/;

const CASES = {
  sagemaker: { alarmEmail: 'me@example.com' },
  ec2: { backend: 'ec2', zones: 2, alarmEmail: 'me@example.com' },
};

/** Each by its logical id: type, and what it is called. */
function layout({ template }: Service): Record<string, unknown> {
  const lasting = Object.entries(template.Resources).filter(([, { Type }]) => LASTING.has(Type));
  const entries = lasting.map(([id, { Type, Properties }]) => {
    const names = Object.entries(Properties ?? {}).filter(([name]) => NAMES.test(name));
    // Conditions have names of their own, and leave no trace in what is deployed.
    const text = JSON.stringify(Object.fromEntries(names)).replaceAll(/("Fn::If":\[)"\w+"/g, '$1"..."');
    return [id, { Type, ...JSON.parse(text) }] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const layouts = Object.entries(CASES).map(
  ([name, options]) => [name, layout(synthService(options))] as const,
);

// RECORD_LAYOUT=COMMIT writes what this checkout makes, in the name of the commit that it is of.
const commit = process.env['RECORD_LAYOUT'];
if (commit)
  writeFileSync(GOLDEN, `${JSON.stringify({ commit, ...Object.fromEntries(layouts) }, undefined, 2)}\n`);

test.skipIf(!existsSync(GOLDEN)).each(layouts)(
  '%s: what was deployed keeps its logical ids and its names',
  (name, now) => {
    const golden = JSON.parse(readFileSync(GOLDEN, 'utf8'))[name];
    expect(Object.keys(golden).length).toBeGreaterThan(15);
    expect(now).toMatchObject(golden);
  },
);
