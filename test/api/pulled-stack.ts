import { PurgeQueueCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
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
  /** Where the functions find S3. @default moto */
  readonly s3Url?: string;
}

interface Parts {
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

  private constructor(props: PulledStackProps, around: Surroundings, { machine, ec2, draw }: Parts) {
    super(props, around, {
      BACKEND: 'ec2',
      DRAW_QUEUE_URL: draw.queueUrl.replace(props.moto, around.hurried.url),
      INSTANCE_IDS: machine.id,
      INSTANCE_TYPES: 'g4dn.xlarge,g4dn.2xlarge',
      AWS_ENDPOINT_URL_EC2: ec2.url,
      ...(props.s3Url === undefined ? {} : { AWS_ENDPOINT_URL_S3: props.s3Url }),
    });
    this.machine = machine;
    this.ec2 = ec2;
    this.#draw = draw;
    this.#client = around.sqs;
  }

  /** It is up, and empties its queues. */
  static async start(props: PulledStackProps): Promise<PulledStack> {
    const { moto, name, startWorker, bootMs = 500 } = props;
    const around = await surround(props, SHORT_WAIT);
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
    const stack = new PulledStack(props, around, { machine, ec2: await Ec2Front.start(moto), draw });
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
    await this.ec2.stop();
  }
}
