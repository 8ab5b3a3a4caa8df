import { setTimeout as pause } from 'node:timers/promises';
import { toProblem } from '../../functions/shared/problem-response.js';
import { reportEvent } from '../../functions/shared/report-event.js';
import type { Telemetry } from '../../functions/shared/telemetry.js';
import type { Endpoint } from '../../lib/predictions/endpoint.js';
import type { Message, MessageQueue } from '../../lib/predictions/message-queue.js';
import type { PredictionStore } from '../../lib/predictions/prediction-store.js';
import { processMessage, type WorkerServices } from '../../lib/predictions/process-message.js';
import type { SendWebhook } from '../../lib/predictions/send-webhook.js';
import { SYSTEM_CLOCK } from '../../lib/predictions/system-clock.js';
import type { WakeEntry, WakeLog, WakeRecord } from '../../lib/predictions/wake-log.js';
import { Waker } from '../../lib/predictions/waker.js';
import type { RequestRecord, ResultRecord, WebhookRecord } from '../../lib/schemas/prediction.js';

/** Stands for every delay of the queue: tests do not wait 20 s for a sleeper. Milliseconds. */
const HURRIED_MS = 20;

export class MemoryPredictionStore implements PredictionStore {
  readonly requests = new Map<string, RequestRecord>();
  readonly results = new Map<string, ResultRecord>();
  readonly webhooks = new Map<string, WebhookRecord>();

  createRequest = async (record: RequestRecord) => create(this.requests, record.id, record);
  readRequest = async (id: string) => this.requests.get(id);
  createResult = async (id: string, record: ResultRecord) => create(this.results, id, record);
  readResult = async (id: string) => this.results.get(id);
  createWebhook = async (id: string, record: WebhookRecord) => create(this.webhooks, id, record);
  readWebhook = async (id: string) => this.webhooks.get(id);

  /** Makes a prediction this much older. */
  age(id: string, milliseconds: number): void {
    const record = this.requests.get(id);
    if (!record) throw new Error(`there is no prediction ${id}`);
    const created_at = new Date(Date.parse(record.created_at) - milliseconds).toISOString();
    this.requests.set(id, { ...record, created_at });
  }
}

function create<T>(records: Map<string, T>, id: string, record: T): boolean {
  if (records.has(id)) return false;
  records.set(id, record);
  return true;
}

export class MemoryWakeLog implements WakeLog {
  #entry: WakeEntry | undefined;

  async read(): Promise<WakeEntry | undefined> {
    return this.#entry;
  }

  async replace(record: WakeRecord, version: string | undefined): Promise<boolean> {
    if (this.#entry?.version !== version) return false;
    this.#entry = { record, version: String(Number(version ?? 0) + 1) };
    return true;
  }
}

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
  readonly services: WorkerServices;
  readonly store: MemoryPredictionStore;
  readonly queue: MemoryQueue;
}

export interface MemoryServicesProps {
  readonly endpoint: Endpoint;
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
  const services: WorkerServices = {
    endpoint,
    store,
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
