import { setTimeout as pause } from 'node:timers/promises';
import { toProblem } from '../../../functions/shared/problem-response.js';
import { reportEvent } from '../../../functions/shared/report-event.js';
import type { Telemetry } from '../../../functions/shared/telemetry.js';
import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import { PushedDelivery } from '../../../lib/predictions/delivery/pushed-delivery.js';
import type { PushedEndpoint } from '../../../lib/predictions/endpoint.js';
import type { Message, MessageQueue } from '../../../lib/predictions/message-queue.js';
import { processMessage } from '../../../lib/predictions/process-message.js';
import type { SendWebhook } from '../../../lib/predictions/send-webhook.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../../lib/predictions/system-clock.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { MEMORY_LINKS, MemoryPredictionStore, MemoryWakeLog } from './memory-stores.js';

/** Stands for every delay of the queue: tests do not wait 20 s for a sleeper. Milliseconds. */
const HURRIED_MS = 20;

/** Delivers at once to one worker, again and again until it is done. */
export class MemoryQueue implements MessageQueue {
  /** Told of each message; true when it is done with it. */
  work: (message: Message) => Promise<boolean> = async () => true;
  readonly sent: Message[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #stopped = false;

  async send(message: Message): Promise<void> {
    this.sent.push(message);
    const delivery = this.#deliver(message).finally(() => this.#underWay.delete(delivery));
    this.#underWay.add(delivery);
  }

  /** Delivers nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#underWay);
  }

  async #deliver(message: Message): Promise<void> {
    do await pause(HURRIED_MS);
    while (!this.#stopped && !(await this.work(message)));
  }
}

export interface MemoryServices {
  readonly services: ApiServices & WorkerServices;
  readonly store: MemoryPredictionStore;
  readonly queue: MemoryQueue;
}

export interface MemoryServicesProps {
  readonly endpoint: PushedEndpoint;
  readonly telemetry: Telemetry;
  /** @default 1 day */
  readonly retentionMs?: number;
  /** @default every webhook is delivered */
  readonly sendWebhook?: SendWebhook;
}

/** Everything that predictions are made of, in this process, with a worker that empties the queue. */
export function memoryServices(props: MemoryServicesProps): MemoryServices {
  const { endpoint, telemetry, retentionMs = 86_400_000 } = props;
  const { sendWebhook = async () => ({ delivered: true }) as const } = props;
  const [store, queue] = [new MemoryPredictionStore(), new MemoryQueue()];
  const services: ApiServices & WorkerServices = {
    delivery: new PushedDelivery(endpoint),
    endpoint,
    store,
    links: MEMORY_LINKS,
    queue,
    waker: new Waker({ endpoint, log: new MemoryWakeLog() }),
    clock: SYSTEM_CLOCK,
    retentionMs,
    toProblem,
    onEvent: (event) => reportEvent(telemetry, event),
    sendWebhook,
  };
  queue.work = async (message) => (await processMessage(message, services)).done;
  return { services, store, queue };
}
