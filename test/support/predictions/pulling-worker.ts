import { S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { S3PredictionStore } from '../../../functions/shared/aws/s3/s3-prediction-store.js';
import { S3Records } from '../../../functions/shared/aws/s3/s3-records.js';
import { S3WakeLog } from '../../../functions/shared/aws/s3/s3-wake-log.js';
import { parseMessage } from '../../../functions/shared/aws/sqs/parse-message.js';
import { SqsMessageQueue } from '../../../functions/shared/aws/sqs/sqs-message-queue.js';
import { toProblem } from '../../../functions/shared/problem-response.js';
import type { PushedEndpoint } from '../../../lib/predictions/endpoint.js';
import { processMessage } from '../../../lib/predictions/process-message.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../../lib/predictions/system-clock.js';
import { noteReady } from '../../../lib/predictions/wake/wake-endpoint.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { WORKER_STATE_KEY, type WorkerPhase, type WorkerState } from '../../../lib/schemas/worker-state.js';
import { motoClientConfig } from '../servers/moto-server.js';
import { MEMORY_LINKS } from './memory-stores.js';
import { ScriptedEndpoint } from './scripted-endpoint.js';

/** What a worker that pulls is told, as the container is: the names are those of its environment. */
export type WorkerEnvironment = Readonly<
  Record<
    | 'RESULTS_BUCKET'
    | 'DRAW_QUEUE_URL'
    | 'QUEUE_URL'
    | 'RETENTION_DAYS'
    | 'WORKER_NAME'
    | 'AWS_REGION'
    | 'AWS_ACCESS_KEY_ID'
    | 'AWS_SECRET_ACCESS_KEY'
    | 'AWS_ENDPOINT_URL_S3'
    | 'AWS_ENDPOINT_URL_SQS',
    string
  >
>;

/** One that draws, until it is stopped. It says in `worker.json` when it listens. */
export interface PullingWorker {
  /** As SIGTERM: it finishes what it draws, and says that it goes. */
  stop(): Promise<void>;
  /** All that it has written. @default nothing */
  readonly output?: () => string;
}

export type StartWorker = (environment: WorkerEnvironment) => PullingWorker;

const HEARTBEAT_MS = 15_000;
const AFTER_TROUBLE_MS = 200;

/** A worker in this process: `processMessage` around small noise, and what it needs of a queue and a store. */
export function scriptedWorker(endpoint: PushedEndpoint = new ScriptedEndpoint()): StartWorker {
  return (environment) => {
    const stopping = new AbortController();
    const worked = work(environment, endpoint, stopping.signal);
    return {
      async stop() {
        stopping.abort();
        await worked;
      },
    };
  };
}

async function work(
  environment: WorkerEnvironment,
  endpoint: PushedEndpoint,
  signal: AbortSignal,
): Promise<void> {
  const { RESULTS_BUCKET, DRAW_QUEUE_URL, QUEUE_URL, RETENTION_DAYS } = environment;
  const sqs = new SQSClient(motoClientConfig(environment.AWS_ENDPOINT_URL_SQS));
  const records = new S3Records(
    new S3Client(motoClientConfig(environment.AWS_ENDPOINT_URL_S3)),
    RESULTS_BUCKET,
  );
  const services: WorkerServices = {
    endpoint,
    store: new S3PredictionStore(records),
    links: MEMORY_LINKS,
    queue: new SqsMessageQueue({ client: sqs, queueUrl: QUEUE_URL, drawQueueUrl: DRAW_QUEUE_URL }),
    waker: new Waker({ endpoint, log: new S3WakeLog(records) }),
    clock: SYSTEM_CLOCK,
    retentionMs: Number(RETENTION_DAYS) * 86_400_000,
    toProblem,
    onEvent: () => undefined,
  };
  const say = speaker(records, environment.WORKER_NAME);
  await say('ready');
  const heart = setInterval(() => void say('ready').catch(() => undefined), HEARTBEAT_MS);
  await noteReady(services, true);
  const take = async (seconds: number): Promise<boolean> => {
    const order = { QueueUrl: DRAW_QUEUE_URL, MaxNumberOfMessages: 1, WaitTimeSeconds: seconds };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(order));
    for (const message of Messages) await deliver(message, services, sqs, DRAW_QUEUE_URL);
    return Messages.length > 0;
  };
  while (!signal.aborted) await take(1);
  clearInterval(heart);
  await say('stopping');
  // What was sent while it was still said to listen.
  while (await take(0));
  sqs.destroy();
}

async function deliver(
  message: Message,
  services: WorkerServices,
  sqs: SQSClient,
  url: string,
): Promise<void> {
  const wanted = parseMessage({ body: message.Body ?? '' });
  // Not one of ours: it comes again until its receives are used up.
  if (!wanted) return;
  for (;;) {
    const verdict = await processMessage(wanted, services).catch(() => undefined);
    if (verdict?.done) break;
    await SYSTEM_CLOCK.sleep(AFTER_TROUBLE_MS);
  }
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
}

/** Writes what this worker is about. */
function speaker(records: S3Records, worker: string) {
  const started_at = new Date().toISOString();
  return async (phase: WorkerPhase): Promise<void> => {
    const updated_at = new Date().toISOString();
    const said = { bytes_done: 0, bytes_total: 0, seconds: {}, model: 'scripted' };
    const state: WorkerState = { worker, phase, updated_at, started_at, ...said };
    for (;;) {
      const before = await records.read(WORKER_STATE_KEY);
      const condition = before ? { IfMatch: before.etag } : ({ IfNoneMatch: '*' } as const);
      if (await records.write(WORKER_STATE_KEY, state, condition)) return;
    }
  };
}
