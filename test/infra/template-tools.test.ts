import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Properties, type Service, synthService } from '../support/infra/synth-service.js';
import { ROOT } from '../support/reference.js';
import { findMotoServer, motoIsAbsent } from '../support/servers/moto-server.js';

// What the tools of others say of the template: cfn-lint's rules and schemas, and moto's CloudFormation.

const run = promisify(execFile);
const tools = dirname(findMotoServer() ?? '');

function templateOf({ stack, folder }: Service): string {
  return join(folder, 'cdk.out', `${stack.stackName}.template.json`);
}

const service = synthService();

describe.skipIf(motoIsAbsent() || !existsSync(join(tools, 'cfn-lint')))('cfn-lint', () => {
  test('no error and no warning, whatever the options', async () => {
    const variants = [
      service,
      synthService({
        maxInstances: 3,
        warmHours: '08:00-18:00',
        alarmEmail: 'me@example.com',
        monthlyBudget: 50,
        subnetIds: 'subnet-0123abcd',
        securityGroupIds: 'sg-0123abcd',
        keepWeights: true,
      }),
      synthService({ minCopies: 1, modelUri: 's3://bundles/a/b' }),
    ];
    const { stdout } = await run(join(tools, 'cfn-lint'), variants.map(templateOf)).catch((error) => error);
    expect(stdout).toBe('');
  });
});

interface Deployed {
  readonly status: string;
  readonly deployed: Readonly<Record<string, number>>;
  readonly left_out: Readonly<Record<string, number>>;
  readonly seen: Seen;
  readonly after: Seen;
}

interface Seen {
  readonly encryption: string[];
  readonly queues: Properties[];
  readonly functions: Properties[];
  readonly mappings: Properties[];
  readonly roles: number;
  readonly logs: number[];
  readonly paths: string[];
}

describe.skipIf(motoIsAbsent())("moto's CloudFormation", async () => {
  const script = join(ROOT, 'test/infra/deploy_to_moto.py');
  const { stdout } = findMotoServer()
    ? await run(join(tools, 'python3'), [script, templateOf(service)], { maxBuffer: 2 ** 24 })
    : { stdout: 'null' };
  const { status, deployed, left_out, seen, after } = JSON.parse(stdout) as Deployed;

  test('makes what it knows', () => {
    console.log(
      `moto deployed ${JSON.stringify(deployed)}, and knows nothing of ${JSON.stringify(left_out)}`,
    );
    expect(status).toBe('CREATE_COMPLETE');
    expect(deployed).toMatchObject({
      'AWS::Lambda::Function': 8,
      'AWS::SQS::Queue': 2,
      'AWS::IAM::Role': 10,
    });
  });

  test('and the services say so', () => {
    expect(seen.encryption).toEqual(['AES256', 'AES256']);
    const main = seen.queues.find((queue) => 'RedrivePolicy' in queue);
    expect(main).toMatchObject({ VisibilityTimeout: '150', SqsManagedSseEnabled: 'true' });
    const dead = seen.queues.find((queue) => !('RedrivePolicy' in queue));
    expect(JSON.parse(String(main?.['RedrivePolicy']))).toEqual({
      deadLetterTargetArn: dead?.['QueueArn'],
      maxReceiveCount: 60,
    });
    expect(new Set(seen.functions.map(({ Runtime }) => Runtime))).toEqual(new Set(['nodejs24.x']));
    expect(seen.mappings).toHaveLength(2);
    for (const mapping of seen.mappings)
      expect(mapping).toEqual({
        BatchSize: 1,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        State: 'Enabled',
      });
    expect(seen.logs).toEqual(seen.logs.map(() => 30));
    expect(seen.paths).toContain('/v1/images/generations');
  });

  test("the functions' environment is what they read", () => {
    const worker = seen.functions.find(
      ({ Environment }) => 'WEBHOOK_SECRET_PARAMETER' in (Environment as object),
    );
    expect(worker?.['Environment']).toMatchObject({
      QUEUE_URL: expect.stringMatching(/^https:\/\/sqs\./),
      RESULTS_BUCKET: expect.stringMatching(/^sd-turbo-/),
      INFERENCE_COMPONENT_NAME: 'sd-turbo',
    });
  });

  test("and deletes it, but for API Gateway's role, which the account's other APIs may log with", () => {
    // moto itself forgets to delete a RestApi.
    expect({ ...after, paths: [] }).toEqual({
      encryption: [],
      queues: [],
      functions: [],
      mappings: [],
      roles: 1,
      logs: [],
      paths: [],
    });
  });
});
