import { toProblem } from '../../../functions/shared/problem-response.js';
import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import { PushedDelivery } from '../../../lib/predictions/delivery/pushed-delivery.js';
import type { PushedEndpoint } from '../../../lib/predictions/endpoint.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import type { Prediction } from '../../../lib/schemas/prediction.js';
import { MEMORY_LINKS, MemoryPredictionStore, MemoryWakeLog } from '../predictions/memory-stores.js';
import { type EndpointSettings, SimulatedEndpoint } from './endpoint.js';
import { type Death, Process } from './process.js';
import { SimulatedQueue } from './queue.js';
import { Random } from './random.js';
import { type Chances, type Part, Trouble } from './trouble.js';
import { VirtualTime } from './virtual-time.js';

export type Role = 'api' | 'worker' | 'undertaker';

/** Processes that die. */
export interface DeathPlan {
  /** Chance that a new process of this role is one of them. */
  readonly chance: number;
  /** Where it dies. @default by chance, at one of its first 40 steps */
  readonly death?: Death;
  /** No more of them after so many. */
  readonly most: number;
}

export interface Scenario {
  readonly endpoint: EndpointSettings;
  /** @default none */
  readonly trouble?: Partial<Record<Part, Chances>>;
  /** @default none */
  readonly deaths?: Partial<Record<Role, DeathPlan>>;
  /** Chance that a message is delivered twice. @default 0 */
  readonly duplicates?: number;
  /** Chance that an attempt to deliver a webhook fails. @default 0 */
  readonly deafWebhooks?: number;
  /** @default 10 */
  readonly clients?: number;
  /** @default 3 */
  readonly workers?: number;
  /** Over which the clients come. Milliseconds. @default 2 minutes */
  readonly spreadMs?: number;
  /** Chance that a client sends the same request several times at once, with one key. @default 0.2 */
  readonly copies?: number;
  /** Chance of a prompt that no model can draw. @default 0 */
  readonly poison?: number;
  /** Chance of a message that is none of ours. @default 0 */
  readonly junk?: number;
  /** Breaks a safety, to see that it is missed. @default nothing */
  readonly sabotage?: (services: PushedServices, world: World, process: Process) => PushedServices;
}

/** Of a worker that is beside an endpoint. */
export type PushedServices = WorkerServices & { readonly endpoint: PushedEndpoint };

/** maxReceiveCount of the queue: infra's setting. */
export const MAX_RECEIVES = 60;
const RETENTION_MS = 86_400_000;
const LAST_STEP = 40;

/** All the machines there are, on one clock. */
export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly store = new MemoryPredictionStore();
  readonly log = new MemoryWakeLog();
  readonly endpoint: SimulatedEndpoint;
  readonly queue: SimulatedQueue;
  readonly deadLetters: SimulatedQueue;
  readonly trouble: Trouble;
  /** What the receivers of webhooks were sent, by prediction. */
  readonly told = new Map<string, Prediction[]>();
  readonly deaths: Record<Role, number> = { api: 0, worker: 0, undertaker: 0 };
  givenUp = 0;
  readonly scenario: Scenario;

  constructor(scenario: Scenario, seed: number) {
    this.scenario = scenario;
    this.random = new Random(seed);
    const { time, random } = this;
    const { duplicates = 0 } = scenario;
    this.endpoint = new SimulatedEndpoint(time, random, scenario.endpoint);
    this.trouble = new Trouble(scenario.trouble ?? {}, random);
    this.deadLetters = new SimulatedQueue({ time, random, duplicates });
    const onDead = (body: string) => {
      this.givenUp++;
      this.deadLetters.send(body);
    };
    this.queue = new SimulatedQueue({ time, random, duplicates, maxReceives: MAX_RECEIVES, onDead });
  }

  startProcess(role: Role): Process {
    const plan = this.scenario.deaths?.[role];
    if (!plan || this.deaths[role] >= plan.most || !this.random.chance(plan.chance)) {
      return new Process(this.time, this.random);
    }
    this.deaths[role]++;
    const moment = this.random.chance(0.5) ? 'before' : 'after';
    const death = plan.death ?? { step: this.random.integer(1, LAST_STEP), moment };
    return new Process(this.time, this.random, death);
  }

  /** The services as one process has them. */
  servicesOf(process: Process): ApiServices & WorkerServices {
    const sound = this.#servicesOf(process);
    const services = this.scenario.sabotage?.(sound, this, process) ?? sound;
    return { ...services, delivery: new PushedDelivery(services.endpoint) };
  }

  #servicesOf(process: Process): PushedServices {
    const { time, random, store, log, endpoint, queue, trouble } = this;
    const ask = <T>(part: Part, effect: () => T | Promise<T>) =>
      process.step(() => trouble.through(part, effect));
    const machine = {
      invoke: (request, context) => process.step(() => endpoint.invoke(request, context)),
      wake: () => ask('wake', () => endpoint.wake()),
      state: () => ask('state', () => endpoint.state()),
    } satisfies PushedEndpoint;
    const sharedLog = {
      read: () => ask('log', () => log.read()),
      replace: (record, version) => ask('log', () => log.replace(record, version)),
    } satisfies ConstructorParameters<typeof Waker>[0]['log'];
    return {
      endpoint: machine,
      store: {
        createRequest: (record) => ask('write', () => store.createRequest(record)),
        readRequest: (id) => ask('read', () => store.readRequest(id)),
        markQueued: (id) => ask('write', () => store.markQueued(id)),
        isQueued: (id) => ask('read', () => store.isQueued(id)),
        createResult: (...result) => ask('write', () => store.createResult(...result)),
        readResult: (id) => ask('read', () => store.readResult(id)),
        readEnd: (id) => ask('read', () => store.readEnd(id)),
        readClaim: (id) => ask('read', () => store.readClaim(id)),
        replaceClaim: (id, state, version) => ask('write', () => store.replaceClaim(id, state, version)),
        enlist: (owner, name) => ask('write', () => store.enlist(owner, name)),
        listOwned: (owner, limit, after) => ask('read', () => store.listOwned(owner, limit, after)),
        createPictures: (id, pictures) => ask('write', () => store.createPictures(id, pictures)),
        readPicture: (id, name) => ask('read', () => store.readPicture(id, name)),
        createWebhook: (id, record) => ask('write', () => store.createWebhook(id, record)),
        readWebhook: (id) => ask('read', () => store.readWebhook(id)),
      },
      links: MEMORY_LINKS,
      queue: {
        send: (message, delay) => ask('send', () => queue.send(JSON.stringify(message), delay)),
      },
      waker: new Waker({ endpoint: machine, log: sharedLog, now: time.now }),
      clock: { now: time.now, sleep: process.sleep, timeout: time.timeout, random: random.next },
      retentionMs: RETENTION_MS,
      toProblem,
      onEvent: () => undefined,
      sendWebhook: ({ id, body }) => process.step(() => this.#tell(id, body)),
    };
  }

  #tell(id: string, body: Prediction) {
    if (this.random.chance(this.scenario.deafWebhooks ?? 0)) {
      return { delivered: false, retryable: true, error: 'nobody listens' } as const;
    }
    this.told.set(id, [...(this.told.get(id) ?? []), body]);
    return { delivered: true } as const;
  }
}
