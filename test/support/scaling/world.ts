import type { Waker } from '../../../lib/predictions/wake/waker.js';
import { at, type Service } from '../infra/synth-service.js';
import { SimulatedAutoScaling } from './auto-scaling.js';
import { SimulatedComponent } from './component.js';
import { Recorder } from './recorder.js';
import { makeWakers } from './simulated-endpoint.js';

/** Of one picture on a T4, with all around it. Seconds. */
const SERVICE = 0.25;
/** Drawn and waiting, of each copy: the container's own limit. */
const COPY_LIMIT = 9;
/** As in lib/predictions/process-message.ts. Seconds. */
const COLD_RETRY = 20;
const busyRetry = (age: number) => Math.min(60, Math.max(10, age / 8));
/** Auto scaling looks that often. Seconds. */
const LOOK = 10;

export interface WorldProps {
  readonly service: Service;
  readonly seconds: number;
  /** When requests come, in order. Seconds. */
  readonly arrivals: readonly number[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whether API and worker can wake the endpoint themselves. @default true */
  readonly directWake?: boolean;
  /** Whether AWS reports on copies as documented. @default true */
  readonly copiesReported?: boolean;
  /** Whether SageMaker refuses a change while another is on its way. @default false */
  readonly exclusive?: boolean;
  /** How long wakes take, from and to. Seconds. @default 120 to 570 */
  readonly wake?: readonly [number, number];
}

interface Message {
  readonly since: number;
  readonly visibleAt: number;
  readonly receives: number;
  /** Whether it was sent for later, which no count shows. */
  readonly delayed: boolean;
}

/** What was seen when the last copies were taken away. */
export interface Sleep {
  readonly time: number;
  /** Age of the oldest work that was there; -1 where there was none. Seconds. */
  readonly oldest: number;
}

/** Days of the service in seconds: clients, API, queue, worker and waker before a simulated AWS. */
export class World {
  readonly component: SimulatedComponent;
  readonly scaling: SimulatedAutoScaling;
  readonly sleeps: Sleep[] = [];
  /** From arrival to picture, of every request. Seconds. */
  readonly waits: number[] = [];
  /** When there was work, in order. Seconds. */
  readonly working: number[] = [];
  deadLetters = 0;
  mostCopies = 0;
  /** Copies that were taken away before they drew anything. */
  undoneWakes = 0;
  readonly #props: WorldProps;
  readonly #recorder: Recorder;
  readonly #wakers: { readonly api: Waker; readonly worker: Waker };
  readonly #concurrency: number;
  readonly #maxReceives: number;
  #messages: Message[] = [];
  #inFlight: { readonly since: number; left: number }[] = [];
  #arrived = 0;
  #now = 0;
  #drawnSinceWake = true;

  constructor(props: WorldProps) {
    this.#props = props;
    const { service, seconds, random, directWake = true, exclusive = false, wake } = props;
    this.#recorder = new Recorder(seconds, random);
    this.component = new SimulatedComponent({ random, exclusive, ...(wake && { wake }) });
    this.scaling = new SimulatedAutoScaling(service, this.component, (...asked) =>
      this.#recorder.read(...asked),
    );
    this.#wakers = makeWakers({
      component: this.component,
      now: () => this.#now,
      allowed: directWake,
      onWake: () => {
        this.#drawnSinceWake = false;
      },
    });
    const consumer = service.properties('AWS::Lambda::EventSourceMapping', 'Worker/Consumer');
    this.#concurrency = at<number>(consumer, 'ScalingConfig', 'MaximumConcurrency');
    const queue = service.properties('AWS::SQS::Queue', 'Predictions/Queue');
    this.#maxReceives = at<number>(queue, 'RedrivePolicy', 'maxReceiveCount');
  }

  async run(): Promise<this> {
    while (this.#now < this.#props.seconds) {
      const now = this.#now;
      this.component.advance(now);
      await this.#answer(now);
      await this.#work(now);
      this.#draw(now);
      if (now % LOOK === 0) this.#scale(now);
      const next = Math.min(this.#next(now), this.#props.seconds);
      this.#record(now, next);
      this.#now = next;
    }
    return this;
  }

  /** Ages of what still waits. Seconds. */
  get unfinished(): number[] {
    return [...this.#messages, ...this.#inFlight].map(({ since }) => this.#now - since);
  }

  /** When something happens again. */
  #next(now: number): number {
    if (this.#inFlight.length > 0) return now + 1;
    const look = now + LOOK - (now % LOOK);
    const arrival = this.#props.arrivals[this.#arrived] ?? Number.POSITIVE_INFINITY;
    const messages = this.#messages.map(({ visibleAt }) => visibleAt);
    return Math.max(now + 1, Math.min(look, arrival, this.component.nextEvent, ...messages));
  }

  async #answer(now: number): Promise<void> {
    const { arrivals } = this.#props;
    for (; (arrivals[this.#arrived] ?? Number.POSITIVE_INFINITY) <= now; this.#arrived++)
      if (!(await this.#invoke(now, this.#wakers.api)))
        this.#messages.push({ since: now, visibleAt: now, receives: 0, delayed: false });
  }

  /** @returns whether the container took it */
  async #invoke(since: number, waker: Waker): Promise<boolean> {
    const { copies } = this.component;
    if (copies === 0) {
      this.#recorder.count('NoCapacityInvocationFailures', this.#now);
      await waker.wake().catch(() => false);
      return false;
    }
    if (this.#inFlight.length >= copies * COPY_LIMIT) return false;
    this.#recorder.count('Invocations', this.#now);
    this.#inFlight.push({ since, left: SERVICE });
    await waker.sawReady(waker === this.#wakers.worker);
    return true;
  }

  async #work(now: number): Promise<void> {
    const due = this.#messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, this.#concurrency);
    for (const message of due) {
      const { copies } = this.component;
      const isDone = await this.#invoke(message.since, this.#wakers.worker);
      this.#messages = this.#messages.filter((other) => other !== message);
      if (isDone) continue;
      const { since } = message;
      const receives = message.receives + 1;
      if (copies > 0) {
        // A message of its own, so that its receives count the looks at a sleeping endpoint only.
        const pause = Math.ceil(this.#props.random() * busyRetry(now - since));
        this.#messages.push({ since, receives: 0, visibleAt: now + pause, delayed: true });
      } else if (receives >= this.#maxReceives) this.deadLetters += 1;
      else this.#messages.push({ since, receives, visibleAt: now + COLD_RETRY, delayed: false });
    }
  }

  #draw(now: number): void {
    if (this.#inFlight.length + this.#messages.length > 0) this.working.push(now);
    let power = this.component.copies;
    for (let first = this.#inFlight[0]; first && power > 0; first = this.#inFlight[0]) {
      const share = Math.min(power, first.left);
      power -= share;
      first.left -= share;
      if (first.left > 0) return;
      this.#inFlight.shift();
      this.#finish(first.since, now);
    }
  }

  #finish(since: number, now: number): void {
    this.waits.push(now - since);
    this.#drawnSinceWake = true;
  }

  #record(from: number, until: number): void {
    const { copies, instances } = this.component;
    const { copiesReported = true } = this.#props;
    const set = (...[name, value]: [Parameters<Recorder['set']>[0], number]) =>
      this.#recorder.set(name, value, from, until);
    set('CPUUtilizationNormalized', copiesReported ? copies : 0);
    set('CPUUtilization', instances);
    set('ConcurrentRequestsPerCopy', copies > 0 ? this.#inFlight.length / copies : 0);
    const waiting = this.#messages.filter(({ visibleAt }) => visibleAt <= from).length;
    set('ApproximateNumberOfMessagesVisible', waiting);
    const taken = this.#messages.filter(({ visibleAt, delayed }) => visibleAt > from && !delayed).length;
    set('ApproximateNumberOfMessagesNotVisible', taken);
  }

  #scale(now: number): void {
    const before = this.component.desired;
    this.scaling.tick(now);
    const { desired } = this.component;
    this.mostCopies = Math.max(this.mostCopies, desired);
    if (before === 0 && desired > 0) this.#drawnSinceWake = false;
    if (before === 0 || desired > 0) return;
    this.sleeps.push({ time: now, oldest: Math.max(-1, ...this.unfinished) });
    if (!this.#drawnSinceWake && this.#inFlight.length === 0) this.undoneWakes += 1;
    // A container that is told to stop finishes what it has.
    for (const { since } of this.#inFlight) this.#finish(since, now);
    this.#inFlight = [];
  }
}
