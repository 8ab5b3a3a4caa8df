import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../infra/api/api-routes.js';
import { openaiErrorType, problemSchema } from '../../lib/schemas/problem.js';
import { importsOf } from '../support/import-graph.js';
import { at, type Properties, synthService } from '../support/infra/synth-service.js';
import { ROOT } from '../support/reference.js';

// The parts around the endpoint, and what AWS's documentation and its users say of them.

const service = synthService();

function environment(path: string): Properties {
  return at(service.properties('AWS::Lambda::Function', path), 'Environment', 'Variables');
}

describe('functions', () => {
  const functions = service.all('AWS::Lambda::Function');

  test('run on a Node that is maintained, write to a log of their own that ends, and go with the stack', () => {
    expect(functions).toHaveLength(9);
    for (const [, { Properties }] of functions) {
      expect(Properties['Runtime']).toBe('nodejs24.x');
      const logs = at<string>(Properties, 'LoggingConfig', 'LogGroup', 'Ref');
      expect(service.template.Resources[logs]).toMatchObject({
        DeletionPolicy: 'Delete',
        Properties: { RetentionInDays: 30 },
      });
    }
  });

  test.each([
    ['Api/Handler', 29],
    ['Worker/Consumer', 75],
    ['Model/Importer', 900],
  ])('%s has %i s', (path, seconds) => {
    expect(service.properties('AWS::Lambda::Function', path)).toMatchObject({
      Timeout: seconds,
      Handler: 'index.handler',
      Architectures: ['arm64'],
    });
  });

  test.each(['Api/Handler', 'Worker/Consumer', 'Worker/DeadLetters'])('%s knows the service', (path) => {
    expect(environment(path)).toMatchObject({
      ENDPOINT_NAME: { 'Fn::GetAtt': [service.id('AWS::SageMaker::Endpoint'), 'EndpointName'] },
      INFERENCE_COMPONENT_NAME: 'sd-turbo',
      RESULTS_BUCKET: { Ref: service.id('AWS::S3::Bucket', 'Results') },
      QUEUE_URL: { Ref: service.id('AWS::SQS::Queue', 'Predictions/Queue') },
      RETENTION_DAYS: '1',
      POWERTOOLS_SERVICE_NAME: 'sd-turbo',
      POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
    });
  });

  test('the API knows the decoder of requests that name none', () => {
    expect(environment('Api/Handler')['DEFAULT_DECODER']).toBe('vae');
    const other = synthService({ decoder: 'taesd' }).properties('AWS::Lambda::Function', 'Api/Handler');
    expect(at(other, 'Environment', 'Variables', 'DEFAULT_DECODER')).toBe('taesd');
  });

  test('only the worker knows where the secret of webhooks is, and nobody is told the secret', () => {
    expect(environment('Worker/Consumer')).toHaveProperty(
      'WEBHOOK_SECRET_PARAMETER',
      '/sd-turbo/webhook-secret',
    );
    expect(environment('Worker/DeadLetters')).not.toHaveProperty('WEBHOOK_SECRET_PARAMETER');
    expect(service.properties('Custom::WebhookSecret')).toEqual({
      Name: '/sd-turbo/webhook-secret',
      ServiceTimeout: '120',
      ServiceToken: expect.anything(),
    });
    expect(JSON.stringify(service.template)).not.toContain('whsec_');
  });
});

describe('queue', () => {
  const queue = service.properties('AWS::SQS::Queue', 'Predictions/Queue');
  const dead = service.id('AWS::SQS::Queue', 'Predictions/DeadLetters');

  test('lets a message be tried through the longest wake, then gives it up', () => {
    expect(queue['VisibilityTimeout']).toBe(150);
    expect(queue['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [dead, 'Arn'] },
      maxReceiveCount: 60,
    });
  });

  test('both are encrypted', () => {
    for (const [, { Properties }] of service.all('AWS::SQS::Queue'))
      expect(Properties['SqsManagedSseEnabled']).toBe(true);
  });

  test.each([
    ['Worker/Consumer', 'Predictions/Queue'],
    ['Worker/DeadLetters', 'Predictions/DeadLetters'],
  ])('%s takes one message at a time and reports each', (consumer, source) => {
    expect(service.properties('AWS::Lambda::EventSourceMapping', consumer)).toEqual({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
      EventSourceArn: { 'Fn::GetAtt': [service.id('AWS::SQS::Queue', source), 'Arn'] },
      FunctionName: { Ref: service.id('AWS::Lambda::Function', consumer) },
    });
  });

  test('the visibility timeout covers the function, and more copies take more messages at once', () => {
    const timeout = service.properties('AWS::Lambda::Function', 'Worker/Consumer')['Timeout'];
    expect(Number(queue['VisibilityTimeout'])).toBeGreaterThanOrEqual(Number(timeout));
    const many = synthService({ maxInstances: 4 });
    expect(many.properties('AWS::Lambda::EventSourceMapping', 'Worker/Consumer')).toMatchObject({
      ScalingConfig: { MaximumConcurrency: 8 },
    });
  });
});

describe('buckets', () => {
  const buckets = service.all('AWS::S3::Bucket');

  test('are private, encrypted, and leave no half uploads', () => {
    expect(buckets).toHaveLength(2);
    for (const [, { Properties, DeletionPolicy }] of buckets) {
      expect(Properties).toMatchObject({
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
      expect(JSON.stringify(at(Properties, 'LifecycleConfiguration'))).toContain('"DaysAfterInitiation":1');
      expect(DeletionPolicy).toBe('Delete');
    }
  });

  test('refuse everybody without TLS 1.2', () => {
    for (const [, { Properties }] of service.all('AWS::S3::BucketPolicy')) {
      const statements = at<Properties[]>(Properties, 'PolicyDocument', 'Statement');
      expect(statements.map(({ Effect, Principal, Condition }) => [Effect, Principal, Condition])).toEqual([
        ['Deny', { AWS: '*' }, { Bool: { 'aws:SecureTransport': 'false' } }],
        ['Deny', { AWS: '*' }, { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ]);
    }
  });

  test('predictions expire a day after they count as gone; the wake log stays', () => {
    const { Rules } = at(
      synthService({ retentionDays: 7 }).properties('AWS::S3::Bucket', 'Results'),
      'LifecycleConfiguration',
    ) as { Rules: Properties[] };
    const expiring = Rules.filter((rule) => 'ExpirationInDays' in rule);
    expect(expiring).toEqual(
      ['predictions/', 'owners/'].map((Prefix) => ({ ExpirationInDays: 8, Prefix, Status: 'Enabled' })),
    );
  });

  test('weights that are to be kept outlive the stack', () => {
    const keeping = synthService({ keepWeights: true });
    expect(keeping.resource('AWS::S3::Bucket', 'Model').DeletionPolicy).toBe('Retain');
    const bundle = keeping.resource('Custom::ModelBundle');
    expect([bundle.DeletionPolicy, bundle.UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Delete']);
    expect(keeping.resource('AWS::S3::Bucket', 'Results').DeletionPolicy).toBe('Delete');
  });
});

describe('import', () => {
  test('is told all that makes a difference to a bundle', () => {
    const { Prefix, ...properties } = service.properties('Custom::ModelBundle');
    expect(properties).toEqual({
      From: 'hf:stabilityai/sd-turbo@b261bac6fd2cf515557d5d0707481eafa0485ec2',
      Taesd: 'hf:madebyollin/taesd@main',
      Dialect: 'cuda',
      Precision: 'float16',
      Encoder: 'false',
      Bucket: { Ref: service.id('AWS::S3::Bucket', 'Model') },
      ServiceTimeout: '1200',
      ServiceToken: expect.anything(),
    });
    expect(Prefix).toMatch(/^bundles\/sd-turbo\/cuda-float16-[0-9a-f]{12}$/);
    expect(synthService({ taesd: 'none' }).properties('Custom::ModelBundle')).not.toHaveProperty('Taesd');
  });
});

describe('gateway', () => {
  const api = service.properties('AWS::ApiGateway::RestApi');
  const methods = service.all('AWS::ApiGateway::Method').map(([, { Properties }]) => Properties);

  test('takes the key from whatever the authorizer finds, and keeps nothing', () => {
    expect(api['ApiKeySourceType']).toBe('AUTHORIZER');
    expect(service.properties('AWS::ApiGateway::Authorizer')).toMatchObject({
      Type: 'REQUEST',
      IdentitySource: '',
      AuthorizerResultTtlInSeconds: 0,
    });
  });

  test('pictures go out as bytes', () => {
    expect(api['BinaryMediaTypes']).toEqual(['*/*']);
  });

  test('every route of the service, with a key unless it is public', () => {
    expect(methods).toHaveLength(ROUTES.length);
    const open = methods.filter(({ ApiKeyRequired }) => ApiKeyRequired !== true);
    const closed = methods.filter(({ ApiKeyRequired }) => ApiKeyRequired === true);
    expect(open.map(({ HttpMethod }) => HttpMethod)).toEqual(['GET', 'GET', 'GET', 'GET', 'GET']);
    expect(closed.map(({ HttpMethod }) => HttpMethod).sort()).toEqual([
      'DELETE',
      ...['GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'POST'],
    ]);
    for (const method of closed) {
      expect(method).toMatchObject({
        AuthorizationType: 'CUSTOM',
        AuthorizerId: { Ref: service.id('AWS::ApiGateway::Authorizer') },
      });
    }
    for (const method of methods) {
      expect(at(method, 'Integration')).toMatchObject({ Type: 'AWS_PROXY', TimeoutInMillis: 29_000 });
    }
  });

  test('routes are those of the app', () => {
    const app = readFileSync(join(ROOT, 'functions/api/app.ts'), 'utf8');
    const served = [...app.matchAll(/app\.(get|post)\('([^']+)'/g)].map(([, method, path]) => [
      method?.toUpperCase(),
      path?.replace(/:(\w+)/, '{$1}'),
    ]);
    const gateway = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(served.length).toBeGreaterThan(4);
    expect(served.map((route) => route.join(' ')).filter((route) => !gateway.includes(route))).toEqual([]);
  });

  test('refuses in the shape of the service', () => {
    const refusals = service.all('AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => Properties);
    const expected: Record<string, number> = {
      UNAUTHORIZED: 401,
      INVALID_API_KEY: 401,
      ACCESS_DENIED: 401,
      MISSING_AUTHENTICATION_TOKEN: 404,
      THROTTLED: 429,
      QUOTA_EXCEEDED: 429,
      REQUEST_TOO_LARGE: 413,
      BAD_REQUEST_BODY: 400,
      INTEGRATION_TIMEOUT: 504,
      DEFAULT_4XX: 400,
      DEFAULT_5XX: 500,
    };
    const statuses = Object.fromEntries(
      refusals.map(({ ResponseType, StatusCode }) => [ResponseType, Number(StatusCode)]),
    );
    expect(statuses).toMatchObject(expected);
    for (const { ResponseTemplates, ResponseParameters, StatusCode } of refusals) {
      const text = at<string>(ResponseTemplates, 'application/json').replace('$context.requestId', 'some-id');
      const { status, detail, error } = problemSchema.parse(JSON.parse(text));
      expect(status).toBe(Number(StatusCode));
      // OpenAI's clients read this member alone.
      expect(error).toMatchObject({ message: detail, type: openaiErrorType(status), param: null });
      expect(ResponseParameters).toHaveProperty(
        ['gatewayresponse.header.content-type'],
        "'application/problem+json'",
      );
      if (StatusCode === '429')
        expect(ResponseParameters).toHaveProperty(['gatewayresponse.header.retry-after']);
    }
  });

  test('the access log has no key, body, header, query or address', () => {
    const stage = service.properties('AWS::ApiGateway::Stage');
    const fields = Object.values(JSON.parse(at<string>(stage, 'AccessLogSetting', 'Format')));
    expect(fields).toContain('$context.identity.apiKeyId');
    const secrets = /\.(apiKey|header|body|querystring|sourceIp|path|authorizer\.\w*[kK]ey)$/;
    expect(fields.filter((field) => secrets.test(String(field)))).toEqual([]);
    expect(at(stage, 'MethodSettings', 0)).toMatchObject({ LoggingLevel: 'OFF', DataTraceEnabled: false });
  });

  test('usage plan', () => {
    const custom = synthService({ rateLimit: 3, burstLimit: 7, dailyQuota: 99 });
    expect(custom.properties('AWS::ApiGateway::UsagePlan')).toMatchObject({
      Throttle: { RateLimit: 3, BurstLimit: 7 },
      Quota: { Limit: 99, Period: 'DAY' },
    });
  });

  test("a key of one's own goes in as a parameter that is shown nowhere", () => {
    expect(service.template.Parameters['ApiKeyValue']).toMatchObject({ NoEcho: true, Default: '' });
    const key = service.properties('AWS::ApiGateway::ApiKey');
    expect(key['Enabled']).toBe(true);
    expect(key['Value']).toEqual({
      'Fn::If': [expect.any(String), { Ref: 'ApiKeyValue' }, { Ref: 'AWS::NoValue' }],
    });
  });
});

describe('observability', () => {
  test('alarms without an address are shown only; with one they are sent, and so is the budget', () => {
    const names = ['GivenUp', 'FailedWake', 'ServerErrors', 'AwakeForLong'];
    const told = synthService({ alarmEmail: 'me@example.com', monthlyBudget: '20' });
    for (const name of names) {
      expect(service.properties('AWS::CloudWatch::Alarm', `Alarms/${name}`)).not.toHaveProperty(
        'AlarmActions',
      );
      const topic = { Ref: told.id('AWS::SNS::Topic') };
      expect(told.properties('AWS::CloudWatch::Alarm', `Alarms/${name}`)['AlarmActions']).toEqual([topic]);
    }
    expect(service.all('AWS::Budgets::Budget')).toEqual([]);
    expect(at(told.properties('AWS::Budgets::Budget'), 'Budget', 'BudgetLimit')).toEqual({
      Amount: 20,
      Unit: 'USD',
    });
  });

  test('CloudWatch may tell the topic', () => {
    const told = synthService({ alarmEmail: 'me@example.com' });
    expect(at(told.properties('AWS::SNS::TopicPolicy'), 'PolicyDocument', 'Statement')).toContainEqual(
      expect.objectContaining({
        Action: 'sns:Publish',
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
  });

  test('what is meant to be awake is no alarm', () => {
    for (const options of [{ minCopies: 1 }, { warmHours: 'MON-FRI 06:00-20:00' }]) {
      const names = synthService(options).all('AWS::CloudWatch::Alarm');
      expect(names.filter(([id]) => id.includes('AwakeForLong'))).toEqual([]);
    }
  });

  test('answers that the endpoint is asleep are no errors', () => {
    const { Metrics } = service.properties('AWS::CloudWatch::Alarm', 'Alarms/ServerErrors');
    const [sum, ...read] = Metrics as Record<string, unknown>[];
    expect(sum?.['Expression']).toBe('FILL(errors, 0) - FILL(later, 0)');
    expect(JSON.stringify(read)).toMatch(/5XXError.*"Name":"outcome","Value":"later"/);
  });

  test('the dashboard reads the metrics that the functions write', () => {
    const body = JSON.stringify(at(service.properties('AWS::CloudWatch::Dashboard'), 'DashboardBody'));
    const written = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'functions', name), 'utf8'))
      .join('\n');
    const read = [...body.matchAll(/\\"SdTurbo\\",\\"(\w+)\\"/g)].map(([, name]) => name as string);
    expect(new Set(read).size).toBeGreaterThan(8);
    expect(read.filter((name) => !written.includes(`'${name}'`))).toEqual([]);
  });
});

test('outputs: what a person needs next', () => {
  const values = Object.fromEntries(
    Object.entries(service.template.Outputs).map(([name, { Value }]) => [name, JSON.stringify(Value)]),
  );
  expect(Object.keys(values)).toEqual(['Url', 'ApiKeyId', 'ApiKeyCommand', 'Curl', 'DashboardUrl']);
  expect(values['ApiKeyCommand']).toContain('aws apigateway get-api-key --api-key');
  expect(values['Curl']).toContain('/predict');
});

describe('image', () => {
  const [asset] = readdirSync(join(service.folder, 'cdk.out')).filter((name) =>
    existsSync(join(service.folder, 'cdk.out', name, 'functions/endpoint/Dockerfile')),
  );
  const context = join(service.folder, 'cdk.out', asset ?? '');

  test('its context has every file that the server and its build import', () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file) || !/^(lib|functions)\//.test(file)) return;
      seen.add(file);
      for (const { to } of importsOf(file, readFileSync(join(ROOT, file), 'utf8'))) visit(to);
    };
    visit('functions/endpoint/bundle.mjs');
    visit('functions/endpoint/runtime-packages.mjs');
    visit('functions/endpoint/server.ts');
    visit('lib/runtime/session-worker.ts');
    visit('lib/weights/download/fetch-worker.ts');
    expect(seen.size).toBeGreaterThan(40);
    expect([...seen].filter((file) => !existsSync(join(context, file)))).toEqual([]);
  });

  test('and nothing that would bring a new image for no reason', () => {
    const folders = [
      'functions/api',
      'functions/shared/aws/ec2',
      'functions/shared/aws/sagemaker',
      'functions/worker',
      'lib/cli',
      'lib/export',
      'functions/endpoint/README.md',
      'lib/demo-model',
      'infra',
      'test',
    ];
    expect(folders.filter((folder) => existsSync(join(context, folder)))).toEqual([]);
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      expect(existsSync(join(context, file))).toBe(true);
  });

  test('each one is looked through for known vulnerabilities', () => {
    const scan = JSON.stringify(service.properties('Custom::ImageScan')['Create']);
    expect(scan).toContain('StartImageScan');
  });
});
