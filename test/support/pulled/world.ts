import { Ec2Endpoint } from '../../../functions/shared/aws/ec2/ec2-endpoint.js';
import { S3WorkerStateReader } from '../../../functions/shared/aws/queue/worker-state-reader.js';
import { toProblem } from '../../../functions/shared/problem-response.js';
import { wakeAgain } from '../../../functions/stopped/wake-again.js';
import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import { PulledDelivery } from '../../../lib/predictions/delivery/pulled-delivery.js';
import type { PulledEndpoint } from '../../../lib/predictions/endpoint.js';
import type { Message } from '../../../lib/predictions/message-queue.js';
import type { Services, WorkerServices } from '../../../lib/predictions/services.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { MEMORY_LINKS, MemoryPredictionStore, MemoryWakeLog } from '../predictions/memory-stores.js';
import { pictureOf } from '../simulation/endpoint.js';
import { Process } from '../simulation/process.js';
import { SimulatedQueue } from '../simulation/queue.js';
import { Random } from '../simulation/random.js';
import { VirtualTime } from '../simulation/virtual-time.js';
import { SILENT } from '../simulation/workers.js';
import { simulatedEc2 } from './ec2.js';
import { type Session, SimulatedInstance } from './instance.js';
import { type Hang, runMachine } from './machine.js';
import { MemoryRecords } from './memory-records.js';

/** A part of the protocol of sleeping and waking that is left out, to see that it is missed. */
export type Sabotage =
  | 'asks who listens before it sends'
  | 'says stopping too late'
  | 'nobody hears of a stop'
  | 'never idle';

export interface PulledScenario {
  /** @default 60 */
  readonly idleSeconds?: number;
  /** @default 1 */
  readonly zones?: number;
  /** From the start to the worker's process. @default 20 to 60 s. Milliseconds */
  readonly bootMs?: readonly [number, number];
  /** @default 10 to 60 s. Milliseconds */
  readonly stopMs?: readonly [number, number];
  /** @default 8 to 15 s. Milliseconds */
  readonly loadMs?: readonly [number, number];
  /** @default 150 to 900. Milliseconds */
  readonly drawMs?: readonly [number, number];
  /** Chance that a worker's process dies within its first ten minutes. @default 0 */
  readonly crashes?: number;
  /** When AWS has no machine of any type, of the time since the beginning. Milliseconds. @default never */
  readonly noCapacity?: readonly (readonly [from: number, to: number])[];
  /** From then on workers hang. Milliseconds since the beginning. @default never */
  readonly hang?: { readonly kind: Hang; readonly from: number; readonly to: number };
  /** The machine's own clock ends nothing. @default false */
  readonly brokenSystemd?: boolean;
  /** Chance that a call takes up to five seconds more. @default 0 */
  readonly stalls?: number;
  /** How long nobody asks EC2 after a wake. @default 30,000, as deployed. Milliseconds */
  readonly settleMs?: number;
  /** SQS counts so late. Milliseconds. @default 30,000 */
  readonly countLateMs?: number;
  /** Whether watch messages come; without them the protocol has to do alone. @default true */
  readonly watched?: boolean;
  /** @default nothing */
  readonly sabotage?: Sabotage;
}

const TYPES = ['g4dn.xlarge', 'g4dn.2xlarge', 'g5.xlarge', 'g6.xlarge'];
const RETENTION_MS = 86_400_000;
/** The alarm: so many hours in a row with a sign of life, and CloudWatch stops the instance. */
export const ALARM_MS = 12 * 3_600_000;
/** CloudWatch's data are late, and hours begin when they like. Milliseconds. */
export const ALARM_LATE_MS = 3_600_000 + 180_000;
/** EventBridge and the start of the function. Milliseconds. */
const EVENT_MS = [300, 3_000] as const;
/** Lambda tries an event again after a minute, and after two more. Milliseconds. */
const EVENT_RETRIES_MS = [60_000, 120_000];
const STALL_MS = 5_000;

/** Asks another machine for something. */
type Ask = <T>(effect: () => T | Promise<T>) => Promise<T>;

/** What one request was told, and what became of it. */
export interface Told {
  /** Of the worker's lives so far, when somebody was said to listen. */
  readonly life: number;
}

/** The service with instances that sleep, on one clock; all that decides anything is the service's own code. */
export class PulledWorld {
  readonly time = new VirtualTime();
  readonly start = this.time.now();
  readonly random: Random;
  readonly scenario: PulledScenario;
  readonly store = new MemoryPredictionStore();
  readonly log = new MemoryWakeLog();
  readonly records = new MemoryRecords();
  readonly drawing: SimulatedQueue;
  readonly watching: SimulatedQueue;
  readonly dead: SimulatedQueue;
  readonly instances: SimulatedInstance[];
  /** Workers that were ready, one after the other. */
  lives = 0;
  crashes = 0;
  restarts = 0;
  /** In which life each prediction was drawn first. */
  readonly drawnIn = new Map<string, number>();
  readonly #sizes: { readonly at: number; readonly size: number }[] = [];

  constructor(scenario: PulledScenario, seed: number) {
    this.scenario = scenario;
    this.random = new Random(seed);
    const { time, random } = this;
    this.dead = new SimulatedQueue({ time, random, duplicates: 0 });
    const onDead = (body: string) => this.dead.send(body);
    const queue = { time, random, duplicates: 0, onDead };
    this.drawing = new SimulatedQueue({ ...queue, visibilityMs: 60_000, maxReceives: 3 });
    this.watching = new SimulatedQueue({ ...queue, maxReceives: 60 });
    const { zones = 1, bootMs = [20_000, 60_000], stopMs = [10_000, 60_000] } = scenario;
    this.instances = Array.from({ length: zones }, (_, index) => {
      const instance: SimulatedInstance = new SimulatedInstance({
        ...{ time, random, bootMs, stopMs, id: `i-${index}`, type: TYPES[0] as string },
        onBoot: (session) => this.#boot(instance, session),
        onStopped: () => this.#stopped(instance),
      });
      return instance;
    });
  }

  get idleMs(): number {
    const { idleSeconds = 60, sabotage } = this.scenario;
    return sabotage === 'never idle' ? Number.POSITIVE_INFINITY : idleSeconds * 1000;
  }

  get hang(): Hang | undefined {
    const { hang } = this.scenario;
    const since = this.time.now() - this.start;
    return hang && since >= hang.from && since < hang.to ? hang.kind : undefined;
  }

  get sessions(): Session[] {
    return this.instances.flatMap(({ sessions }) => sessions);
  }

  /** A worker's process, which may be one of those that die. */
  startProcess(session: Session): Process {
    const process = new Process(this.time, this.random);
    if (!this.random.chance(this.scenario.crashes ?? 0)) return process;
    this.time.at(this.time.now() + this.random.between(0, 600_000), () => {
      if (!process.alive || session.offAt !== undefined) return;
      this.crashes++;
      process.die();
    });
    return process;
  }

  workerServices(process: Process, session: Session): WorkerServices {
    const { drawMs = [150, 900] } = this.scenario;
    const life = this.lives;
    const ask: Ask = (effect) => process.step(effect);
    const waker = new Waker({ endpoint: ASLEEP, log: this.#log(ask), now: this.time.now });
    return {
      ...this.#common(process, ask, waker),
      endpoint: {
        ...ASLEEP,
        invoke: async (request) => {
          await process.sleep(this.random.between(...drawMs));
          session.workedAt = this.time.now();
          const id = request.prompt;
          if (!this.drawnIn.has(id)) this.drawnIn.set(id, life);
          return { answer: pictureOf(request), timings: {} };
        },
      },
    };
  }

  /** Of one process of the API or of a function. `onTold` hears of each answer to who listens. */
  functionServices(process: Process, onTold: (told: Told | undefined) => void = () => undefined) {
    const ask = this.slowly(process);
    const endpoint = this.#endpoint(process, ask, onTold);
    const { settleMs = 30_000 } = this.scenario;
    const waker = new Waker({ endpoint, log: this.#log(ask), now: this.time.now, settleMs });
    const common = this.#common(process, ask, waker);
    const backlog = () => ask(() => this.#count());
    const services: ApiServices & WorkerServices = {
      ...common,
      pulled: { endpoint, backlog },
      sendWebhook: async () => ({ delivered: true }),
      delivery: new PulledDelivery(endpoint),
    };
    return { ...services, pulled: { endpoint, backlog } };
  }

  /** How a process asks, which stalls now and then between any two of its calls. */
  slowly(process: Process): Ask {
    const { random, scenario } = this;
    return async (effect) => {
      if (random.chance(scenario.stalls ?? 0)) await process.sleep(random.between(0, STALL_MS));
      return process.step(effect);
    };
  }

  #endpoint(process: Process, ask: Ask, onTold: (told: Told | undefined) => void): PulledEndpoint {
    const { time, random, instances, records, scenario } = this;
    const hasCapacity = () => {
      const since = time.now() - this.start;
      return !(scenario.noCapacity ?? []).some(([from, to]) => since >= from && since < to);
    };
    const reader = new S3WorkerStateReader({ read: (key) => ask(() => records.read(key)) });
    const endpoint = new Ec2Endpoint({
      client: simulatedEc2(instances, hasCapacity, ask),
      instanceIds: instances.map(({ id }) => id),
      instanceTypes: TYPES,
      worker: reader,
      clock: { now: time.now, sleep: process.sleep, random: random.next },
    });
    const early = scenario.sabotage === 'asks who listens before it sends' ? this.#ask(endpoint) : undefined;
    return {
      wake: () => endpoint.wake(),
      state: () => endpoint.state(),
      listens: async () => {
        const { listens, life } = early ? await early : await this.#ask(endpoint);
        onTold(listens ? { life } : undefined);
        return listens;
      },
    };
  }

  async #ask(endpoint: PulledEndpoint): Promise<{ listens: boolean; life: number }> {
    const listens = await endpoint.listens();
    return { listens, life: this.lives };
  }

  #common(process: Process, ask: Ask, waker: Waker): Services {
    const { time, random, store } = this;
    return {
      store: {
        createRequest: (record) => ask(() => store.createRequest(record)),
        readRequest: (id) => ask(() => store.readRequest(id)),
        markQueued: (id) => ask(() => store.markQueued(id)),
        isQueued: (id) => ask(() => store.isQueued(id)),
        createResult: (...result) => ask(() => store.createResult(...result)),
        readResult: (id) => ask(() => store.readResult(id)),
        readEnd: (id) => ask(() => store.readEnd(id)),
        readClaim: (id) => ask(() => store.readClaim(id)),
        replaceClaim: (id, state, version) => ask(() => store.replaceClaim(id, state, version)),
        enlist: (owner, name) => ask(() => store.enlist(owner, name)),
        listOwned: (owner, limit, after) => ask(() => store.listOwned(owner, limit, after)),
        createPictures: (id, pictures) => ask(() => store.createPictures(id, pictures)),
        readPicture: (id, name) => ask(() => store.readPicture(id, name)),
        createWebhook: (id, record) => ask(() => store.createWebhook(id, record)),
        readWebhook: (id) => ask(() => store.readWebhook(id)),
      },
      links: MEMORY_LINKS,
      queue: { send: (message, delay) => ask(() => this.#send(message, delay)) },
      waker,
      clock: { now: time.now, sleep: process.sleep, timeout: time.timeout, random: random.next },
      retentionMs: RETENTION_MS,
      toProblem,
      onEvent: () => undefined,
    };
  }

  #send(message: Message, delay?: number): void {
    if (message.kind === 'predict') this.drawing.send(JSON.stringify(message), delay);
    else if (message.kind !== 'watch' || this.scenario.watched !== false)
      this.watching.send(JSON.stringify(message), delay);
    this.#note();
  }

  #log(ask: Ask) {
    const { log } = this;
    return {
      read: () => ask(() => log.read()),
      replace: (...written: Parameters<MemoryWakeLog['replace']>) => ask(() => log.replace(...written)),
    };
  }

  #note(): void {
    this.#sizes.push({ at: this.time.now(), size: this.drawing.size });
    if (this.#sizes.length > 20) this.#sizes.shift();
  }

  /** As it is, or as it was not long ago. */
  #count(): number {
    const { countLateMs = 30_000 } = this.scenario;
    const seen = this.time.now() - this.random.between(0, countLateMs);
    const late = this.#sizes.findLast(({ at }) => at <= seen)?.size;
    this.#note();
    return countLateMs === 0 || late === undefined ? this.drawing.size : late;
  }

  #boot(instance: SimulatedInstance, session: Session): void {
    void runMachine(this, instance, session);
    const { time } = this;
    // Whatever the machine itself does: hours with data, and it is stopped from outside.
    time.at(session.startedAt + ALARM_MS + this.random.between(0, ALARM_LATE_MS), () => {
      if (session.offAt === undefined) instance.powerOff('alarm');
    });
  }

  #stopped({ id }: SimulatedInstance): void {
    if (this.scenario.sabotage === 'nobody hears of a stop') return;
    void this.#hear(id);
  }

  async #hear(id: string): Promise<void> {
    const { time, random } = this;
    await time.sleep(random.between(...EVENT_MS));
    const telemetry = { ...SILENT, count: () => void this.restarts++ };
    const event = { detail: { 'instance-id': id, state: 'stopped' } } as Parameters<typeof wakeAgain>[0];
    for (const pause of [...EVENT_RETRIES_MS, undefined]) {
      const services = this.functionServices(new Process(time, random));
      const isDone = await wakeAgain(event, { services, telemetry }).then(
        () => true,
        () => false,
      );
      if (isDone || pause === undefined) return;
      await time.sleep(pause);
    }
  }
}

/** What a worker that is awake needs of an endpoint's face. */
const ASLEEP = {
  wake: async () => undefined,
  state: async () => ({ state: 'ready' as const }),
};
