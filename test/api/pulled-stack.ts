import {
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { countMessages } from '../../functions/shared/aws/sqs/count-messages.js';
import { WORKER_STATE_KEY } from '../../lib/schemas/worker-state.js';
import { Machine } from '../support/predictions/machine.js';
import type { StartWorker, WorkerEnvironment } from '../support/predictions/pulling-worker.js';
import { Ec2Front } from '../support/servers/ec2-front.js';
import { until } from '../support/until.js';
import {
  createQueues,
  FunctionStack,
  type FunctionStackProps,
  type Surroundings,
  surround,
} from './function-stack.js';

/** As infra sets it: so often a worker may die of one message. */
const MAX_DRAW_RECEIVES = 3;
/** A message that nobody holds any more comes again after so long. Seconds. */
const VISIBILITY = 60;
/** What every delay of the queue is shortened to: a worker takes a while to start. Seconds. */
const SHORT_WAIT = 1;

export interface PulledStackProps extends FunctionStackProps {
  readonly startWorker: StartWorker;
  /** From the start of the instance to its worker. Milliseconds. @default 500 */
  readonly bootMs?: number;
  /** Puts a server before S3. @default none */
  readonly beforeS3?: (target: string) => Promise<Front>;
}

interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

interface Parts {
  readonly s3: Front | undefined;
  readonly machine: Machine;
  readonly ec2: Ec2Front;
  readonly draw: { readonly queueUrl: string; readonly deadQueueUrl: string };
}

/** The functions around moto's EC2, and a worker that fetches its messages. */
export class PulledStack extends FunctionStack {
  readonly machine: Machine;
  /** Before moto's EC2. */
  readonly ec2: Ec2Front;
  readonly #draw: Parts['draw'];
  readonly #client: SQSClient;
  readonly #s3: Front | undefined;

  private constructor(props: PulledStackProps, around: Surroundings, { machine, ec2, s3, draw }: Parts) {
    super(props, around, {
      BACKEND: 'ec2',
      DRAW_QUEUE_URL: draw.queueUrl.replace(props.moto, around.aws),
      INSTANCE_IDS: machine.id,
      INSTANCE_TYPES: 'g4dn.xlarge,g4dn.2xlarge',
      AWS_ENDPOINT_URL_EC2: ec2.url,
    });
    this.machine = machine;
    this.ec2 = ec2;
    this.#draw = draw;
    this.#s3 = s3;
    this.#client = around.sqs;
  }

  /** It is up, and empties its queues. */
  static async start(props: PulledStackProps): Promise<PulledStack> {
    const { moto, name, startWorker, bootMs = 500, isBare = false } = props;
    const plain = await surround(props, SHORT_WAIT);
    const s3 = await props.beforeS3?.(plain.aws);
    const changed = s3 ? { AWS_ENDPOINT_URL_S3: s3.url } : {};
    const around = { ...plain, environment: { ...plain.environment, ...changed } };
    const draw = await createQueues(around.sqs, `${name}-draw`, MAX_DRAW_RECEIVES, VISIBILITY);
    const environment = {
      ...(around.environment as Omit<WorkerEnvironment, 'WORKER_NAME'>),
      DRAW_QUEUE_URL: draw.queueUrl,
      // Its signs of life must last as long as they say.
      AWS_ENDPOINT_URL_SQS: moto,
    };
    const machine = await Machine.run({
      moto,
      bootMs,
      startWorker: (WORKER_NAME) => startWorker({ ...environment, WORKER_NAME }),
    });
    const stack = new PulledStack(props, around, { machine, s3, ec2: await Ec2Front.start(moto), draw });
    if (isBare) return stack;
    stack.poll();
    stack.poll('dead letters');
    stack.pollFor(draw.deadQueueUrl, stack.deadLetters);
    return stack;
  }

  /** Waits until a worker says that it takes messages. */
  async listens(): Promise<void> {
    await until('a worker listens', async () => {
      const said = await this.readObject(WORKER_STATE_KEY).catch(() => '{}');
      return JSON.parse(said).phase === 'ready';
    });
  }

  async sendToWorkers(body: string): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#draw.queueUrl, MessageBody: body }));
  }

  /** Messages that wait for a worker, or are in its hands. */
  toDraw(): Promise<number> {
    return countMessages(this.#client, this.#draw.queueUrl);
  }

  /** Takes a message, and never comes back: the time that it stays hidden is over at once. */
  async takeAndDrop(): Promise<void> {
    const order = { QueueUrl: this.#draw.queueUrl, VisibilityTimeout: 0, WaitTimeSeconds: 1 };
    await this.#client.send(new ReceiveMessageCommand(order));
  }

  /** Somebody empties the queue of the workers. */
  async purge(): Promise<void> {
    await this.#client.send(new PurgeQueueCommand({ QueueUrl: this.#draw.queueUrl }));
  }

  override output(): string {
    return `${super.output()}\n${this.machine.output()}`;
  }

  override async stop(): Promise<void> {
    await this.machine.close();
    await super.stop();
    await Promise.all([this.ec2.stop(), this.#s3?.stop()]);
  }
}
