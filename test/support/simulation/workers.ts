import type { SQSRecord } from 'aws-lambda';
import { parseMessage } from '../../../functions/shared/aws/sqs/parse-message.js';
import { consume } from '../../../functions/worker/consume.js';
import { failDeadLetter } from '../../../lib/predictions/process-message.js';
import type { Process } from './process.js';
import type { Delivery, SimulatedQueue } from './queue.js';
import type { Role, World } from './world.js';

/** Of the worker's function: what is not done then never will be. Milliseconds. */
const FUNCTION_TIMEOUT_MS = 75_000;
const RESTART_MS = 1_000;
export const SILENT = { log: () => undefined, count: () => undefined, measure: () => undefined };

type Work = (record: SQSRecord, delivery: Delivery) => Promise<boolean>;

/** Lambda's side of a queue: functions that are started anew when they die. It never ends. */
export async function work(role: Exclude<Role, 'api'>, world: World): Promise<never> {
  const queue = role === 'worker' ? world.queue : world.deadLetters;
  for (;;) {
    const process = world.startProcess(role);
    await Promise.race([process.died, serve(process, queue, makeWork(role, process, world), world)]);
    await world.time.sleep(RESTART_MS);
  }
}

async function serve(process: Process, queue: SimulatedQueue, perform: Work, world: World): Promise<never> {
  const { time, trouble } = world;
  for (;;) {
    const delivery = await queue.receive();
    let ended = false;
    time.at(time.now() + FUNCTION_TIMEOUT_MS, () => ended || process.die());
    const done = await perform(recordOf(delivery), delivery);
    if (done) {
      // The service deletes it; where that fails, it comes again.
      const deletion = () => trouble.through('receipt', () => queue.delete(delivery));
      await process.step(deletion).catch(() => undefined);
    }
    ended = true;
  }
}

function makeWork(role: Role, process: Process, world: World): Work {
  const services = world.servicesOf(process);
  if (role === 'undertaker') {
    return async (record) => {
      const message = parseMessage(record);
      if (!message) return true;
      return failDeadLetter(message, services).then(
        () => true,
        () => false,
      );
    };
  }
  return (record, delivery) => {
    const change = (seconds: number) =>
      world.trouble.through('receipt', () => world.queue.changeVisibility(delivery, seconds));
    const retryIn = (_: SQSRecord, seconds: number) =>
      process.step(() => change(seconds)).catch(() => undefined);
    return consume(record, { services, telemetry: SILENT, retryIn });
  };
}

/** As a function is handed it. */
export function recordOf({ body, sentAt, receives }: Delivery): SQSRecord {
  return {
    messageId: 'message',
    receiptHandle: 'receipt',
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: String(sentAt),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn',
    awsRegion: 'region',
  };
}
