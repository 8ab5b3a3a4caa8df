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
import { type Container, SageMakerServer } from '../support/servers/sagemaker-server.js';

const ENDPOINT_NAME = 'sd-turbo';
const INFERENCE_COMPONENT_NAME = 'sd-turbo-component';

export interface LambdaStackProps {
  /** Of the bundles: `bundleLambda`. */
  readonly folder: string;
  readonly moto: string;
  readonly container: Container;
  /** Of its bucket and its queues. */
  readonly name: string;
  /** @default 60 */
  readonly maxReceiveCount?: number;
  /** From a wake to the first copy. Milliseconds. @default 100 */
  readonly wakeMs?: number;
  /** Environments of the API function that take turns. @default 1 */
  readonly environments?: number;
  /** Kept in SSM. @default webhooks are not set up */
  readonly webhookSecret?: string;
}

/** The deployed functions, bundled, in processes of their own, with moto and a stand-in for SageMaker around them. */
export class LambdaStack {
  readonly sagemaker: SageMakerServer;
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

  private constructor(parts: StackParts) {
    const { props, environment } = parts;
    this.sagemaker = parts.sagemaker;
    this.hurried = parts.hurried;
    this.queueUrl = parts.queueUrl;
    this.#deadQueueUrl = parts.deadQueueUrl;
    this.bucket = props.name;
    this.#s3 = parts.s3;
    this.#sqs = parts.sqs;
    const start = (name: string) => new LambdaProcess(`${props.folder}/${name}`, environment);
    this.#apis = Array.from({ length: props.environments ?? 1 }, () => start('api'));
    this.worker = start('worker');
    this.deadLetters = start('dead-letters');
    this.authorizer = start('authorizer');
  }

  static async start(props: LambdaStackProps): Promise<LambdaStack> {
    const { moto, container, name, maxReceiveCount = 60, wakeMs = 100, webhookSecret } = props;
    const sagemaker = await SageMakerServer.start({
      container,
      endpointName: ENDPOINT_NAME,
      inferenceComponentName: INFERENCE_COMPONENT_NAME,
      wakeMs,
    });
    const hurried = await startHurriedAws(moto);
    const s3 = new S3Client({ ...motoClientConfig(moto), forcePathStyle: true });
    const sqs = new SQSClient(clientConfig(moto));
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    const deadQueueUrl = await createQueue(sqs, `${name}-dead`, {});
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: await arnOf(sqs, deadQueueUrl),
      maxReceiveCount,
    });
    const queueUrl = await createQueue(sqs, name, { RedrivePolicy, VisibilityTimeout: '150' });
    const environment = {
      ENDPOINT_NAME,
      INFERENCE_COMPONENT_NAME,
      RESULTS_BUCKET: name,
      QUEUE_URL: queueUrl.replace(moto, hurried.url),
      RETENTION_DAYS: '1',
      ...(webhookSecret === undefined
        ? {}
        : { WEBHOOK_SECRET_PARAMETER: await putSecret(moto, name, webhookSecret) }),
      POWERTOOLS_SERVICE_NAME: 'sd-turbo',
      POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: hurried.url,
      AWS_ENDPOINT_URL_SQS: hurried.url,
      AWS_ENDPOINT_URL_SSM: hurried.url,
      AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.url,
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: sagemaker.url,
    };
    return new LambdaStack({ props, environment, sagemaker, hurried, s3, sqs, queueUrl, deadQueueUrl });
  }

  /** One environment after the other takes an event. */
  api = (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const api = this.#apis[this.#turn++ % this.#apis.length] as LambdaProcess;
    return api.invoke(event);
  };

  /** Begins to empty the queue, or the dead-letter queue. */
  poll(which: 'queue' | 'dead letters' = 'queue'): QueuePoller {
    const [queueUrl, target] =
      which === 'queue' ? [this.queueUrl, this.worker] : [this.#deadQueueUrl, this.deadLetters];
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

  async stop(): Promise<void> {
    await Promise.all(this.#pollers.map((poller) => poller.stop()));
    const functions = [...this.#apis, this.worker, this.deadLetters, this.authorizer];
    await Promise.all(functions.map((process) => process.stop()));
    this.#s3.destroy();
    this.#sqs.destroy();
    await Promise.all([this.sagemaker.stop(), this.hurried.stop()]);
  }
}

interface StackParts {
  readonly props: LambdaStackProps;
  readonly environment: Readonly<Record<string, string>>;
  readonly sagemaker: SageMakerServer;
  readonly hurried: HurriedAws;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly deadQueueUrl: string;
}

function clientConfig(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
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
  const client = new SSMClient(clientConfig(moto));
  const Name = `/${name}/webhook-secret`;
  await client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
  client.destroy();
  return Name;
}
