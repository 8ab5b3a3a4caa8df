import { parseMessage } from '../../../functions/shared/aws/sqs/parse-message.js';
import { consume } from '../../../functions/worker/consume.js';
import { failDeadLetter } from '../../../lib/predictions/process-message.js';
import { Process } from '../simulation/process.js';
import type { Delivery } from '../simulation/queue.js';
import { recordOf, SILENT } from '../simulation/workers.js';
import type { PulledWorld } from './world.js';

/** Lambda before the queue of watch messages, and before the dead letters. They never end. */
export function startFunctions(world: PulledWorld, consumers = 4): void {
  for (let i = 0; i < consumers; i++) void consumeAll(world);
  void buryAll(world);
}

async function consumeAll(world: PulledWorld): Promise<never> {
  const { watching, time, random } = world;
  const process = new Process(time, random);
  const services = world.functionServices(process);
  for (;;) {
    const delivery = await watching.receive();
    const retryIn = (_: unknown, seconds: number) =>
      process.step(() => watching.changeVisibility(delivery, seconds));
    const isDone = await consume(recordOf(delivery), { services, telemetry: SILENT, retryIn });
    if (isDone) await process.step(() => watching.delete(delivery));
  }
}

async function buryAll(world: PulledWorld): Promise<never> {
  const { dead, time, random } = world;
  const process = new Process(time, random);
  const services = world.functionServices(process);
  const bury = async (delivery: Delivery) => {
    const message = parseMessage(recordOf(delivery));
    if (message) await failDeadLetter(message, services);
    dead.delete(delivery);
  };
  for (;;) await bury(await dead.receive());
}
