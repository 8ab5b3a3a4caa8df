import { describe, expect, test } from 'vitest';
import { policyLines } from '../../../support/infra/policy-lines.js';
import { at, EVERYTHING_OF_EC2, synthService } from '../../../support/infra/synth-service.js';

// What everybody may do where instances draw, and nothing else.

const service = synthService({ backend: 'ec2' });
const instance = `<${service.path(service.id('AWS::EC2::Instance'))}>`;
const INSTANCE_ARN = `arn:{Partition}:ec2:{Region}:{AccountId}:instance/${instance}`;
const RESULTS = '<Results/Objects/Bucket>';
const IMAGES =
  'arn:{Partition}:ecr:{Region}:{AccountId}:repository/cdk-hnb659fds-container-assets-{AccountId}-{Region}';
const BUNDLE = service.properties('Custom::ModelBundle')['Prefix'];
const SECRET = 'arn:{Partition}:ssm:{Region}:{AccountId}:parameter/sd-turbo/webhook-secret';

const on = (resource: string, ...actions: string[]) => actions.map((action) => `${action} on ${resource}`);
const logs = (path: string) => on(`<${path}/Logs>`, 'logs:CreateLogStream', 'logs:PutLogEvents');
const consume = (queue: string) =>
  on(
    queue,
    ...[
      'ChangeMessageVisibility',
      'DeleteMessage',
      'GetQueueAttributes',
      'GetQueueUrl',
      'ReceiveMessage',
    ].map((action) => `sqs:${action}`),
  );
const predictions = [
  ...on(`${RESULTS}/predictions/*`, 's3:GetObject', 's3:PutObject'),
  ...on(RESULTS, 's3:ListBucket'),
];
const lists = on(`${RESULTS}/owners/*`, 's3:PutObject');
const wakeLog = on(`${RESULTS}/wake.json`, 's3:GetObject', 's3:PutObject');
const wake = [
  ...on(INSTANCE_ARN, 'ec2:ModifyInstanceAttribute', 'ec2:StartInstances'),
  ...on('*', 'ec2:DescribeInstances'),
];
const pulled = [
  ...on('<Instances/Draw/Queue>', 'sqs:SendMessage'),
  ...on(`${RESULTS}/worker.json`, 's3:GetObject'),
  ...wake,
];
const send = on('<Predictions/Queue>', 'sqs:SendMessage');
const count = on('<Instances/Draw/Queue>', 'sqs:GetQueueAttributes');

const roles: [string, string[]][] = [
  ['Api/Handler', [...logs('Api/Handler'), ...predictions, ...lists, ...wakeLog, ...pulled, ...send]],
  [
    'Worker/Consumer',
    [
      ...logs('Worker/Consumer'),
      ...predictions,
      ...wakeLog,
      ...pulled,
      ...send,
      ...count,
      ...consume('<Predictions/Queue>'),
      ...on(SECRET, 'ssm:GetParameter'),
    ],
  ],
  [
    'Worker/DeadLetters',
    [
      ...logs('Worker/DeadLetters'),
      ...predictions,
      ...send,
      ...consume('<Predictions/DeadLetters>'),
      ...consume('<Instances/Draw/DeadLetters>'),
    ],
  ],
  [
    'Instances/Stopped/Handler',
    [
      ...logs('Instances/Stopped/Handler'),
      ...wakeLog,
      ...on(`${RESULTS}/worker.json`, 's3:GetObject'),
      ...on(RESULTS, 's3:ListBucket'),
      ...count,
      ...wake,
    ],
  ],
  [
    'Instances/Worker',
    [
      ...on('<Instances/Logs>', 'logs:CreateLogStream', 'logs:PutLogEvents'),
      ...on('<Model/Weights/Bucket>/bundles/*', 's3:GetObject'),
      ...on(`<Model/Weights/Bucket>/${BUNDLE}/self-test.json`, 's3:PutObject'),
      ...on('<Model/Weights/Bucket>', 's3:ListBucket'),
      ...on(IMAGES, 'ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'),
      ...on('*', 'ecr:GetAuthorizationToken'),
      ...predictions,
      ...wakeLog,
      ...on(`${RESULTS}/worker.json`, 's3:GetObject', 's3:PutObject'),
      ...on(
        '<Instances/Draw/Queue>',
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:ReceiveMessage',
        'sqs:SendMessage',
      ),
      ...send,
      ...on('{StackId}', 'cloudformation:SignalResource'),
    ],
  ],
];

describe('what each role may do, and nothing else', () => {
  test.each(roles)('%s', (path, lines) => {
    expect(policyLines(service, `${path}/Role`)).toEqual([...new Set(lines)].sort());
  });

  test('nobody may stop, terminate or make an instance, or pass a role', () => {
    // But for the gateway's, to the gateway: test/infra/security.test.ts.
    const policies = service
      .all('AWS::IAM::Policy')
      .filter(([id]) => !service.path(id)?.startsWith('Api/LogRole/'));
    expect(policies.length).toBeGreaterThan(5);
    expect(JSON.stringify(policies)).not.toMatch(/ec2:(Stop|Terminate|Run)Instances|iam:|sagemaker:/);
  });

  test('both instances are named where there are two', () => {
    const two = synthService({ backend: 'ec2', zones: 2 });
    const lines = policyLines(two, 'Api/Handler/Role').filter((line) => line.startsWith('ec2:Start'));
    expect(lines).toHaveLength(2);
  });

  test('Session Manager only where it is asked for', () => {
    const managed = (options: object) =>
      JSON.stringify(
        synthService({ backend: 'ec2', ...options }).properties('AWS::IAM::Role', 'Instances/Worker'),
      );
    expect(managed({})).not.toContain('ManagedPolicyArns');
    expect(managed(EVERYTHING_OF_EC2)).toContain('AmazonSSMManagedInstanceCore');
  });
});

test('a function that starts an instance cannot make it do anything else: nothing in its policy names another', () => {
  const statements = service
    .all('AWS::IAM::Policy')
    .flatMap(([, { Properties }]) =>
      at<{ Action: string | string[]; Resource: unknown }[]>(Properties, 'PolicyDocument', 'Statement'),
    )
    .filter(({ Action }) => JSON.stringify(Action).includes('ec2:StartInstances'));
  expect(statements).toHaveLength(3);
  for (const { Resource } of statements)
    expect(JSON.stringify(Resource)).toContain(service.id('AWS::EC2::Instance'));
});
