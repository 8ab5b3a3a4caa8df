import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { policyLines } from '../support/infra/policy-lines.js';
import {
  at,
  EVERYTHING_OF_EC2,
  type Properties,
  type Resource,
  type Service,
  synthService,
} from '../support/infra/synth-service.js';

const ACKNOWLEDGED = Validations.ACKNOWLEDGED_RULES_METADATA_KEY;

const service = synthService();
const everything = synthService({
  maxInstances: 3,
  warmHours: 'MON-FRI 08:00-18:00',
  alarmEmail: 'me@example.com',
  monthlyBudget: 50,
  subnetIds: 'subnet-0123abcd',
  securityGroupIds: 'sg-0123abcd',
});
const variants: [string, Service][] = [
  ['defaults', service],
  ['everything', everything],
  [
    'kept warm, finished bundle, region known',
    synthService({ minCopies: 1, modelUri: 's3://bundles/a/b', region: 'eu-central-1' }),
  ],
  ['instances', synthService({ backend: 'ec2' })],
  ['instances, everything', synthService(EVERYTHING_OF_EC2)],
  [
    'instances in a network that is there',
    synthService({ backend: 'ec2', vpcId: 'vpc-0123abcd', subnetIds: 'subnet-0123abcd,subnet-0123abce' }),
  ],
];

const logs = (path: string) => [
  `logs:CreateLogStream on <${path}/Logs>`,
  `logs:PutLogEvents on <${path}/Logs>`,
];
const predictions = [
  's3:GetObject on <Results/Objects/Bucket>/predictions/*',
  's3:ListBucket on <Results/Objects/Bucket>',
  's3:PutObject on <Results/Objects/Bucket>/predictions/*',
];
const results = [
  ...predictions,
  's3:GetObject on <Results/Objects/Bucket>/wake.json',
  's3:PutObject on <Results/Objects/Bucket>/wake.json',
];
/** Whose predictions are: said by whoever accepts one, and found by the right to list that there is. */
const LISTS = 's3:PutObject on <Results/Objects/Bucket>/owners/*';
const endpoint = [
  'sagemaker:InvokeEndpoint on <Endpoint/Endpoint>',
  'sagemaker:InvokeEndpoint on <Endpoint/Component>',
  'sagemaker:DescribeInferenceComponent on <Endpoint/Component>',
  'sagemaker:UpdateInferenceComponentRuntimeConfig on <Endpoint/Component>',
];
const send = ['sqs:SendMessage on <Predictions/Queue>'];
const consume = (queue: string) =>
  ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'].map(
    (action) => `sqs:${action} on <Predictions/${queue}>`,
  );
const SECRET = 'arn:{Partition}:ssm:{Region}:{AccountId}:parameter/sd-turbo/webhook-secret';
const IMAGES =
  'arn:{Partition}:ecr:{Region}:{AccountId}:repository/cdk-hnb659fds-container-assets-{AccountId}-{Region}';

/** `bundles/NAME/HASH`, as the container is told. */
const bundle = /\/(bundles\/[^"]+)"/.exec(
  JSON.stringify(service.properties('AWS::SageMaker::Model', 'Endpoint/Model')),
)?.[1];

describe('what each role may do, and nothing else', () => {
  const roles: [string, string[]][] = [
    ['Api/Handler', [...logs('Api/Handler'), ...results, LISTS, ...endpoint, ...send]],
    ['Api/KeyReader', logs('Api/KeyReader')],
    [
      'Api/LogRole/Setter',
      [
        ...logs('Api/LogRole/Setter'),
        'apigateway:GET on arn:{Partition}:apigateway:{Region}::/account',
        'apigateway:PATCH on arn:{Partition}:apigateway:{Region}::/account',
        ...['AttachRolePolicy', 'CreateRole', 'GetRole', 'PassRole'].map(
          (action) => `iam:${action} on arn:{Partition}:iam::{AccountId}:role/sd-turbo-gateway-logs`,
        ),
      ],
    ],
    [
      'Worker/Consumer',
      [
        ...logs('Worker/Consumer'),
        ...results,
        ...endpoint,
        ...send,
        ...consume('Queue'),
        `ssm:GetParameter on ${SECRET}`,
      ],
    ],
    [
      'Worker/DeadLetters',
      [...logs('Worker/DeadLetters'), ...predictions, ...send, ...consume('DeadLetters')],
    ],
    [
      'Model/Importer',
      [
        ...logs('Model/Importer'),
        's3:AbortMultipartUpload on <Model/Weights/Bucket>/bundles/*',
        's3:DeleteObject on <Model/Weights/Bucket>/bundles/*',
        's3:GetObject on <Model/Weights/Bucket>/bundles/*',
        's3:PutObject on <Model/Weights/Bucket>/bundles/*',
        's3:ListBucket on <Model/Weights/Bucket>',
        's3:ListBucketMultipartUploads on <Model/Weights/Bucket>',
      ],
    ],
    [
      'Results/Emptier',
      [
        ...logs('Results/Emptier'),
        's3:DeleteObject on <Results/Objects/Bucket>/*',
        's3:ListBucket on <Results/Objects/Bucket>',
      ],
    ],
    [
      'WebhookSecret/Maker',
      [...logs('WebhookSecret/Maker'), `ssm:DeleteParameter on ${SECRET}`, `ssm:PutParameter on ${SECRET}`],
    ],
    ['ImageScan', [...logs('ImageScan'), `ecr:StartImageScan on ${IMAGES}`]],
    [
      'Endpoint',
      [
        ...['CreateLogGroup', 'CreateLogStream', 'DescribeLogStreams', 'PutLogEvents'].flatMap((action) => [
          `logs:${action} on <Endpoint/Logs>`,
          `logs:${action} on arn:{Partition}:logs:{Region}:{AccountId}:log-group:<Endpoint/Logs>`,
        ]),
        's3:GetObject on <Model/Weights/Bucket>/bundles/*',
        's3:ListBucket on <Model/Weights/Bucket>',
        `s3:PutObject on <Model/Weights/Bucket>/${bundle}/self-test.json`,
        `ecr:BatchCheckLayerAvailability on ${IMAGES}`,
        `ecr:BatchGetImage on ${IMAGES}`,
        `ecr:GetDownloadUrlForLayer on ${IMAGES}`,
        'ecr:GetAuthorizationToken on *',
        'cloudwatch:PutMetricData on *',
      ],
    ],
  ];
  test.each(roles)('%s', (path, lines) => {
    expect(policyLines(service, `${path}/Role`)).toEqual(lines.toSorted());
  });

  test('no other role has a policy, and none has one of AWS', () => {
    const known = new Set(roles.map(([path]) => service.id('AWS::IAM::Role', `${path}/Role`)));
    const others = service.all('AWS::IAM::Role').filter(([id]) => !known.has(id));
    expect(others.map(([id]) => service.path(id))).toEqual([]);
    const managed = service
      .all('AWS::IAM::Role')
      .filter(([, { Properties }]) => 'ManagedPolicyArns' in Properties);
    expect(managed).toEqual([]);
  });

  test('the role of the gateway is made with one policy of AWS, and handed to the gateway alone', () => {
    const policy = service.properties('AWS::IAM::Policy', 'Api/LogRole');
    const statements = at<Properties[]>(policy, 'PolicyDocument', 'Statement');
    const conditions = statements.flatMap(({ Action, Condition }) =>
      Condition ? [[Action, Condition]] : [],
    );
    expect(conditions).toEqual([
      ['iam:AttachRolePolicy', { StringEquals: { 'iam:PolicyARN': expect.anything() } }],
      ['iam:PassRole', { StringEquals: { 'iam:PassedToService': 'apigateway.amazonaws.com' } }],
    ]);
    expect(JSON.stringify(conditions)).toContain('/AmazonAPIGatewayPushToCloudWatchLogs');
  });

  test("the container's metrics go to SageMaker's own names only", () => {
    const policy = JSON.stringify(service.properties('AWS::IAM::Policy', 'Endpoint/Role'));
    expect(policy).toContain(
      '"Action":"cloudwatch:PutMetricData","Condition":{"StringLike":{"cloudwatch:namespace":"/aws/sagemaker/*"}}',
    );
  });

  test('a finished bundle may be read, its record written, and no other object touched', () => {
    const reader = synthService({ modelUri: 's3://bundles/some/prefix' });
    const lines = policyLines(reader, 'Endpoint/Role').filter((line) => line.startsWith('s3:'));
    expect(lines).toEqual([
      's3:GetObject on arn:{Partition}:s3:::bundles/some/prefix/*',
      's3:ListBucket on arn:{Partition}:s3:::bundles',
      's3:PutObject on arn:{Partition}:s3:::bundles/some/prefix/self-test.json',
    ]);
  });

  test('in a VPC, what SageMaker needs to join it', () => {
    const arn = (resource: string) => `arn:{Partition}:ec2:{Region}:{AccountId}:${resource}`;
    const lines = policyLines(everything, 'Endpoint/Role').filter((line) => line.startsWith('ec2:'));
    expect(lines).toEqual(
      [
        `ec2:CreateNetworkInterface on ${arn('network-interface/*')}`,
        `ec2:CreateNetworkInterface on ${arn('security-group/sg-0123abcd')}`,
        `ec2:CreateNetworkInterface on ${arn('subnet/subnet-0123abcd')}`,
        `ec2:CreateNetworkInterfacePermission on ${arn('network-interface/*')}`,
        `ec2:DeleteNetworkInterface on ${arn('network-interface/*')}`,
        `ec2:DeleteNetworkInterfacePermission on ${arn('network-interface/*')}`,
        'ec2:DescribeDhcpOptions on *',
        'ec2:DescribeNetworkInterfaces on *',
        'ec2:DescribeSecurityGroups on *',
        'ec2:DescribeSubnets on *',
        'ec2:DescribeVpcs on *',
      ].toSorted(),
    );
  });
});

describe.each(variants)('%s', (_, { template, stack }) => {
  test('no action has a star', () => {
    const allowed = Object.values(template.Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::IAM::Policy'
        ? at<Resource['Properties'][]>(Properties, 'PolicyDocument', 'Statement')
        : [],
    );
    expect(allowed.length).toBeGreaterThan(10);
    expect(allowed.filter(({ Action }) => JSON.stringify(Action).includes('*'))).toEqual([]);
  });

  test('cdk-nag, AwsSolutions: nothing is found', () => {
    const checks = new AwsSolutionsChecks(stack.node.root);
    expect(checks.validateScope(stack)).toEqual({ success: true, violations: [] });
  });

  test('each thing that is acknowledged has a reason', () => {
    const reasons = acknowledged(stack);
    expect(reasons.length).toBeGreaterThan(5);
    expect(reasons.filter(([, reason]) => reason.length < 30)).toEqual([]);
  });
});

test.each([
  ['sagemaker', {}],
  ['ec2', { backend: 'ec2', sessionManager: true }],
])('%s: what is acknowledged is what cdk-nag finds without it', (_, options) => {
  const { stack } = synthService(options);
  const ids = new Set(
    acknowledged(stack)
      .map(([id]) => id)
      .filter((id) => id.startsWith('AwsSolutions-')),
  );
  for (const node of stack.node.findAll()) {
    for (const entry of node.node.metadata)
      if (entry.type === ACKNOWLEDGED) Object.assign(entry, { data: {} });
  }
  const { violations } = new AwsSolutionsChecks(stack.node.root).validateScope(stack);
  expect(new Set(violations.map(({ ruleName }) => ruleName))).toEqual(ids);
});

/** Rules with the reasons for which they are not heeded. */
function acknowledged(scope: IConstruct): [string, string][] {
  return scope.node
    .findAll()
    .flatMap(({ node }) => node.metadata.filter(({ type }) => type === ACKNOWLEDGED))
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .map(([id, reason]) => [id.replace('Annotation::', ''), reason]);
}

describe('order of creation, which deletion reverses', () => {
  const first = (type: string, path = '') => service.id(type, path);
  const ids = {
    image: first('AWS::SageMaker::Model'),
    bundle: first('Custom::ModelBundle'),
    weights: first('AWS::S3::Bucket', 'Model'),
    config: first('AWS::SageMaker::EndpointConfig'),
    endpoint: first('AWS::SageMaker::Endpoint'),
    component: first('AWS::SageMaker::InferenceComponent'),
    log: first('AWS::Logs::LogGroup', 'Endpoint'),
    policy: first('AWS::IAM::Policy', 'Endpoint'),
    target: first('AWS::ApplicationAutoScaling::ScalableTarget'),
    sleep: first('AWS::ApplicationAutoScaling::ScalingPolicy', 'Endpoint/Scaling/Sleep'),
    idle: first('AWS::CloudWatch::Alarm', 'Endpoint/Scaling/IdleAlarm'),
    emptying: first('Custom::EmptyBucket'),
    results: first('AWS::S3::Bucket', 'Results'),
    emptierPolicy: first('AWS::IAM::Policy', 'Results/Emptier'),
    importerPolicy: first('AWS::IAM::Policy', 'Model/Importer'),
    weightsPolicy: first('AWS::S3::BucketPolicy', 'Model'),
    worker: first('AWS::Lambda::Function', 'Worker/Consumer'),
    api: first('AWS::Lambda::Function', 'Api/Handler'),
    secret: first('Custom::WebhookSecret'),
    secretPolicy: first('AWS::IAM::Policy', 'WebhookSecret/Maker'),
    logRole: first('Custom::GatewayLogRole'),
    stage: first('AWS::ApiGateway::Stage'),
  };
  const order: [string, keyof typeof ids, keyof typeof ids][] = [
    ['weights, before a model that names them', 'bundle', 'image'],
    ['model, before the component', 'image', 'component'],
    ['endpoint, before the component: deleted after it', 'endpoint', 'component'],
    ['component, before its target', 'component', 'target'],
    ['target, before its policies', 'target', 'sleep'],
    ['policies, before the alarms', 'sleep', 'idle'],
    ['permissions, before the endpoint: there until it has gone', 'policy', 'config'],
    ['configuration, before the endpoint', 'config', 'endpoint'],
    ['log, before the component: nobody writes into it when it has gone', 'log', 'component'],
    ['bucket, before the weights', 'weights', 'bundle'],
    ["the importer's permissions, before the weights: it also deletes them", 'importerPolicy', 'bundle'],
    ["the bucket's policy, before the weights", 'weightsPolicy', 'bundle'],
    ['results are emptied after the worker has gone', 'emptying', 'worker'],
    ['results are emptied after the API has gone', 'emptying', 'api'],
    ['the bucket goes when it is empty', 'results', 'emptying'],
    ["the emptier's permissions, before it is asked to empty", 'emptierPolicy', 'emptying'],
    ['secret, before the worker that signs with it', 'secret', 'worker'],
    ["the maker's permissions, before the secret", 'secretPolicy', 'secret'],
    ['the role that the gateway logs with, before the stage that logs', 'logRole', 'stage'],
    ['endpoint, before the API: no address before it can work', 'component', 'api'],
  ];
  test.each(order)('%s', (_, before, after) => {
    expect(needs(service, ids[after]).has(ids[before])).toBe(true);
    expect(needs(service, ids[before]).has(ids[after])).toBe(false);
  });

  test('the endpoint starts while the weights are on their way', () => {
    expect(needs(service, ids.endpoint).has(ids.bundle)).toBe(false);
  });
});

/** All that a resource refers to or depends on, directly or not. */
function needs({ template }: Service, id: string): Set<string> {
  const found = new Set<string>();
  const visit = (from: string): void => {
    const { Properties = {}, DependsOn = [] } = template.Resources[from] as Resource;
    const text = JSON.stringify(Properties);
    const referred = [...text.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, name]) => name as string);
    for (const name of [...referred, ...[DependsOn].flat()]) {
      if (found.has(name) || !template.Resources[name]) continue;
      found.add(name);
      visit(name);
    }
  };
  visit(id);
  return found;
}
