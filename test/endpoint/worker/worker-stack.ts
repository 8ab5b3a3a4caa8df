import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  type RequestRecord,
  type ResultRecord,
  resultRecordSchema,
  type SeededRequest,
} from '../../../lib/schemas/prediction.js';
import { type WorkerState, workerStateSchema } from '../../../lib/schemas/worker-state.js';
import { requestRecord } from '../../support/predictions/prediction-records.js';
import { EndpointProcess } from '../../support/processes/endpoint-process.js';
import { ROOT } from '../../support/reference.js';
import { motoClientConfig } from '../../support/servers/moto-server.js';
import { until } from '../../support/until.js';

export const SERVER = join(ROOT, 'dist/functions/endpoint/server.js');
export const DEMO = join(ROOT, 'lib/demo-model/bundle');

/** On machines that have much else to do a worker's start takes most of a minute. */
const LIMIT_MS = 150_000;

export interface WorkerStackProps {
  readonly moto: string;
  /** Of its bucket and its queues. */
  readonly name: string;
  /** @default 100 */
  readonly maxReceiveCount?: number;
}

/** A bucket that keeps every version of every object, the queues, and workers as processes of their own. */
export class WorkerStack {
  readonly bucket: string;
  readonly drawQueueUrl: string;
  readonly deadQueueUrl: string;
  readonly queueUrl: string;
  readonly #moto: string;
  readonly #s3: S3Client;
  readonly #sqs: SQSClient;
  readonly #started: EndpointProcess[] = [];

  private constructor(props: WorkerStackProps, s3: S3Client, sqs: SQSClient, urls: readonly string[]) {
    this.#moto = props.moto;
    this.bucket = props.name;
    this.#s3 = s3;
    this.#sqs = sqs;
    [this.drawQueueUrl = '', this.deadQueueUrl = '', this.queueUrl = ''] = urls;
  }

  static async start(props: WorkerStackProps): Promise<WorkerStack> {
    const { moto, name, maxReceiveCount = 100 } = props;
    const s3 = new S3Client({ ...motoClientConfig(moto), forcePathStyle: true });
    const { region, credentials } = motoClientConfig(moto);
    const sqs = new SQSClient({
      endpoint: moto,
      ...(region && { region }),
      ...(credentials && { credentials }),
    });
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
    const create = async (QueueName: string, Attributes: Record<string, string> = {}) =>
      (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl as string;
    const dead = await create(`${name}-dead`);
    const arn = { QueueUrl: dead, AttributeNames: ['QueueArn' as const] };
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand(arn));
    const redrive = JSON.stringify({ deadLetterTargetArn: Attributes['QueueArn'], maxReceiveCount });
    const draw = await create(`${name}-draw`, { VisibilityTimeout: '60', RedrivePolicy: redrive });
    return new WorkerStack(props, s3, sqs, [draw, dead, await create(name)]);
  }

  /** All that a worker is told. Weights lie in a directory unless told otherwise. */
  environment(): Record<string, string> {
    return {
      MODEL_URI: DEMO,
      RESULTS_BUCKET: this.bucket,
      DRAW_QUEUE_URL: this.drawQueueUrl,
      QUEUE_URL: this.queueUrl,
      WORKER_NAME: 'worker-1',
      VISIBILITY_SECONDS: '3',
      IDLE_SECONDS: '600',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: this.#moto,
      AWS_ENDPOINT_URL_SQS: this.#moto,
    };
  }

  worker(settings: Readonly<Record<string, string>> = {}): EndpointProcess {
    const worker = new EndpointProcess([process.execPath, SERVER, 'worker'], {
      ...this.environment(),
      ...settings,
    });
    this.#started.push(worker);
    return worker;
  }

  /** Waits for a line in a worker's log. */
  async said(worker: EndpointProcess, message: string): Promise<void> {
    const line = `"message":"${message}"`;
    await until(line, () => worker.log.includes(line), LIMIT_MS).catch((error) => {
      throw new Error(`${error.message}: ${worker.log}`);
    });
  }

  /** How a prediction ends. */
  async ended(id: string): Promise<ResultRecord> {
    await until(`${id} has ended`, async () => (await this.result(id)) !== undefined, LIMIT_MS);
    return (await this.result(id)) as ResultRecord;
  }

  /** Accepts a request as the API does: its record first, then its message. */
  async ask(
    request: Partial<SeededRequest> = {},
    fields: Partial<RequestRecord> = {},
  ): Promise<RequestRecord> {
    const base = requestRecord({ created_at: new Date().toISOString(), ...fields });
    const record = { ...base, request: { ...base.request, ...request } };
    await this.put(`predictions/${record.id}/request.json`, JSON.stringify(record));
    await this.send(JSON.stringify({ kind: 'predict', id: record.id }));
    return record;
  }

  async put(Key: string, Body: string): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));
  }

  async send(MessageBody: string): Promise<void> {
    await this.#sqs.send(new SendMessageCommand({ QueueUrl: this.drawQueueUrl, MessageBody }));
  }

  /** Every version of an object, the oldest first. */
  async versions(key: string): Promise<unknown[]> {
    const { Versions = [] } = await this.#s3.send(
      new ListObjectVersionsCommand({ Bucket: this.bucket, Prefix: key }),
    );
    const read = Versions.map(async ({ VersionId }) => {
      const order = { Bucket: this.bucket, Key: key, VersionId };
      const { Body } = await this.#s3.send(new GetObjectCommand(order));
      return JSON.parse((await Body?.transformToString()) ?? '') as unknown;
    });
    return (await Promise.all(read)).reverse();
  }

  /** The one result of a prediction. @throws Error where there are several */
  async result(id: string): Promise<ResultRecord | undefined> {
    const versions = await this.versions(`predictions/${id}/result.json`);
    if (versions.length > 1) throw new Error(`${id} has ${versions.length} results`);
    return versions[0] === undefined ? undefined : resultRecordSchema.parse(versions[0]);
  }

  async states(): Promise<WorkerState[]> {
    const states = (await this.versions('worker.json')).map((state) => workerStateSchema.parse(state));
    return states.toSorted((a, b) => Date.parse(a.updated_at) - Date.parse(b.updated_at));
  }

  /** Messages that wait, those that a worker has, and those that were given up. */
  async counts(): Promise<{ waiting: number; held: number; dead: number }> {
    const [draw, dead] = await Promise.all(
      [this.drawQueueUrl, this.deadQueueUrl].map((url) => this.#count(url)),
    );
    return { waiting: draw?.visible ?? 0, held: draw?.held ?? 0, dead: dead?.visible ?? 0 };
  }

  /** Messages that the functions' queue has got. */
  async sent(): Promise<unknown[]> {
    return (await this.receive(this.queueUrl, 10)).map((body) => JSON.parse(body) as unknown);
  }

  /** Bodies of what is visible, which is so again afterwards. */
  async receive(QueueUrl = this.drawQueueUrl, MaxNumberOfMessages = 1): Promise<string[]> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages, WaitTimeSeconds: 0 }),
    );
    for (const { ReceiptHandle } of Messages)
      await this.#sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
      );
    return Messages.map(({ Body = '' }) => Body);
  }

  /** Takes every message out of the draw queue. */
  async purge(): Promise<void> {
    await this.#sqs.send(new PurgeQueueCommand({ QueueUrl: this.drawQueueUrl }));
  }

  async stop(): Promise<void> {
    for (const worker of this.#started) worker.signal('SIGKILL');
    await Promise.all(this.#started.map((worker) => worker.exited()));
    this.#s3.destroy();
    this.#sqs.destroy();
  }

  async #count(QueueUrl: string): Promise<{ visible: number; held: number }> {
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: held } = Attributes;
    return { visible: Number(visible), held: Number(held) };
  }
}
