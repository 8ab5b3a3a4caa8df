import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { QueuePoller } from '../support/predictions/queue-poller.js';
import { LambdaProcess } from '../support/processes/lambda-process.js';
import { type HurriedAws, startHurriedAws } from '../support/servers/hurried-aws.js';
import { motoClientConfig } from '../support/servers/moto-server.js';

export interface FunctionStackProps {
  /** Of the bundles: `bundleLambda`. */
  readonly folder: string;
  readonly moto: string;
  /** Of its bucket and its queues. */
  readonly name: string;
  /** @default 60 */
  readonly maxReceiveCount?: number;
  /** Environments of the API function that take turns. @default 1 */
  readonly environments?: number;
  /** For measurements: the functions ask moto itself, and nobody takes their messages. @default false */
  readonly isBare?: boolean;
  /** Kept in SSM. @default webhooks are not set up */
  readonly webhookSecret?: string;
}

/** What is around the functions, whatever draws: moto's bucket and queues, and what the functions are told of them. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  readonly hurried: HurriedAws;
  /** What the functions take for AWS. */
  readonly aws: string;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly deadQueueUrl: string;
}

/** @param leastSeconds what every delay of the queue is shortened to */
export async function surround(props: FunctionStackProps, leastSeconds = 0): Promise<Surroundings> {
  const { moto, name, maxReceiveCount = 60, webhookSecret, isBare = false } = props;
  const hurried = await startHurriedAws(moto, leastSeconds);
  const aws = isBare ? moto : hurried.url;
  const s3 = new S3Client({ ...motoClientConfig(moto), forcePathStyle: true });
  const sqs = new SQSClient(motoClientConfig(moto));
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const { queueUrl, deadQueueUrl } = await createQueues(sqs, name, maxReceiveCount, 150);
  const environment = {
    RESULTS_BUCKET: name,
    QUEUE_URL: queueUrl.replace(moto, aws),
    RETENTION_DAYS: '1',
    ...(webhookSecret === undefined
      ? {}
      : { WEBHOOK_SECRET_PARAMETER: await putSecret(moto, name, webhookSecret) }),
    POWERTOOLS_SERVICE_NAME: 'sd-turbo',
    POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: aws,
    AWS_ENDPOINT_URL_SQS: aws,
    AWS_ENDPOINT_URL_SSM: aws,
  };
  return { environment, hurried, aws, s3, sqs, queueUrl, deadQueueUrl };
}

/** The deployed functions, bundled, in processes of their own, with moto around them. */
export class FunctionStack {
  readonly hurried: HurriedAws;
  readonly authorizer: LambdaProcess;
  readonly worker: LambdaProcess;
  readonly deadLetters: LambdaProcess;
  readonly queueUrl: string;
  readonly bucket: string;
  readonly #apis: readonly LambdaProcess[];
  readonly #pollers: QueuePoller[] = [];
  readonly #s3: S3Client;
  readonly #sqs: SQSClient;
  readonly #deadQueueUrl: string;
  #turn = 0;

  /** @param backend what the functions are told of it */
  constructor(
    { folder, name, environments = 1 }: FunctionStackProps,
    { environment, hurried, s3, sqs, queueUrl, deadQueueUrl }: Surroundings,
    backend: Readonly<Record<string, string>>,
  ) {
    this.hurried = hurried;
    this.queueUrl = queueUrl;
    this.bucket = name;
    this.#deadQueueUrl = deadQueueUrl;
    this.#s3 = s3;
    this.#sqs = sqs;
    const start = (bundle: string) =>
      new LambdaProcess(`${folder}/${bundle}`, { ...environment, ...backend });
    this.#apis = Array.from({ length: environments }, () => start('api'));
    this.worker = start('worker');
    this.deadLetters = start('dead-letters');
    this.authorizer = start('authorizer');
  }

  /** One environment after the other takes an event. */
  api = (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const api = this.#apis[this.#turn++ % this.#apis.length] as LambdaProcess;
    return api.invoke(event);
  };

  /** Begins to empty the queue, or the dead-letter queue. */
  poll(which: 'queue' | 'dead letters' = 'queue'): QueuePoller {
    return which === 'queue'
      ? this.pollFor(this.queueUrl, this.worker)
      : this.pollFor(this.#deadQueueUrl, this.deadLetters);
  }

  /** ... or another one. */
  pollFor(queueUrl: string, target: LambdaProcess): QueuePoller {
    const invoke = (event: SQSEvent) => target.invoke<SQSBatchResponse>(event);
    const poller = new QueuePoller({ client: this.#sqs, queueUrl, invoke });
    this.#pollers.push(poller);
    return poller;
  }

  /** All that the functions have written. */
  output(): string {
    const functions = [...this.#apis, this.worker, this.deadLetters, this.authorizer];
    return functions.map(({ output }) => output).join('\n');
  }

  async send(body: string): Promise<void> {
    await this.#sqs.send(new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody: body }));
  }

  /** Messages that wait in the queue or are being worked on, and those that were given up. */
  async counts(): Promise<{ waiting: number; dead: number }> {
    const [waiting, dead] = await Promise.all(
      [this.queueUrl, this.#deadQueueUrl].map(async (QueueUrl) => {
        const { Attributes = {} } = await this.#sqs.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
        );
        const { ApproximateNumberOfMessages: a, ApproximateNumberOfMessagesNotVisible: b } = Attributes;
        return Number(a) + Number(b);
      }),
    );
    return { waiting: waiting ?? 0, dead: dead ?? 0 };
  }

  async readObject(key: string): Promise<string> {
    const object = await this.#s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return (await object.Body?.transformToString()) ?? '';
  }

  async writeObject(key: string, body: string): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body }));
  }

  /** Makes a prediction so many milliseconds older. */
  async age(id: string, milliseconds: number): Promise<void> {
    const key = `predictions/${id}/request.json`;
    const record = JSON.parse(await this.readObject(key));
    const created_at = new Date(Date.parse(record.created_at) - milliseconds).toISOString();
    await this.writeObject(key, JSON.stringify({ ...record, created_at }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pollers.map((poller) => poller.stop()));
    const functions = [...this.#apis, this.worker, this.deadLetters, this.authorizer];
    await Promise.all(functions.map((process) => process.stop()));
    this.#s3.destroy();
    this.#sqs.destroy();
    await this.hurried.stop();
  }
}

/** A queue, and the one that its dead letters go to. */
export async function createQueues(
  client: SQSClient,
  name: string,
  maxReceiveCount: number,
  visibilitySeconds: number,
): Promise<{ readonly queueUrl: string; readonly deadQueueUrl: string }> {
  const deadQueueUrl = await createQueue(client, `${name}-dead`, {});
  const deadLetterTargetArn = await arnOf(client, deadQueueUrl);
  const queueUrl = await createQueue(client, name, {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
    VisibilityTimeout: String(visibilitySeconds),
  });
  return { queueUrl, deadQueueUrl };
}

async function createQueue(client: SQSClient, name: string, attributes: Record<string, string>) {
  const created = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  return created.QueueUrl as string;
}

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  return (await client.send(command)).Attributes?.['QueueArn'] as string;
}

/** @returns the parameter's name */
async function putSecret(moto: string, name: string, Value: string): Promise<string> {
  const client = new SSMClient(motoClientConfig(moto));
  const Name = `/${name}/webhook-secret`;
  await client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
  client.destroy();
  return Name;
}
