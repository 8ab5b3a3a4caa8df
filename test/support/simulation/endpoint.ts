import { createHash } from 'node:crypto';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointFault,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../../lib/predictions/endpoint.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** How an invocation goes wrong. `-after`: the picture was made, and nobody hears of it. */
export type Mishap =
  | Exclude<EndpointFault, 'cold' | 'lost'>
  | 'timeout-after'
  | 'reset-before'
  | 'reset-after';

export interface EndpointSettings {
  /** From the call to the first picture. Infinity: never. Milliseconds. */
  readonly wakeMs: number;
  /** So long without work, and it sleeps. @default never. Milliseconds. */
  readonly idleMs?: number;
  /** @default 150 to 900 */
  readonly drawMs?: readonly [least: number, most: number];
  /** Requests that may wait. @default 8 */
  readonly queueLimit?: number;
  /** The alarm that wakes it some time after somebody found it cold. @default never. Milliseconds. */
  readonly alarmMs?: number;
  /** Chance of each mishap per invocation. @default none */
  readonly mishaps?: Partial<Record<Mishap, number>>;
  /** The mishaps that count as failures happen to a picture so often at most. @default 2 */
  readonly mostFailures?: number;
  /** @default false */
  readonly startsReady?: boolean;
}

export interface Failures {
  readonly failed: number;
  /** The connection was lost. */
  readonly lost: number;
  /** The endpoint said that the request was wrong. */
  readonly refused: number;
}

const NO_FAILURES: Failures = { failed: 0, lost: 0, refused: 0 };

/** SageMaker gives up on a container after so long. */
const TIMEOUT_MS = 60_000;
/** These leave a request as if it had never been made; the others are failures of it. */
const HARMLESS: ReadonlySet<Mishap> = new Set(['busy', 'throttled']);
const LOST: ReadonlySet<Mishap> = new Set(['reset-before', 'reset-after']);

/** A prompt on which the model always fails. */
export const POISON = 'poison';

/** An endpoint that sleeps, wakes, has a queue and fails; it draws one picture at a time. */
export class SimulatedEndpoint implements PushedEndpoint {
  sleeps: number;
  /** How often it was asked to wake. */
  wakeCalls = 0;
  draws = 0;
  coldAnswers = 0;
  mishaps = 0;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #settings: EndpointSettings;
  /** Undefined while it sleeps. */
  #readyAt: number | undefined;
  #freeAt = 0;
  #waiting = 0;
  readonly #failures = new Map<string, Failures>();

  constructor(time: VirtualTime, random: Random, settings: EndpointSettings) {
    this.#time = time;
    this.#random = random;
    this.#settings = settings;
    this.#readyAt = settings.startsReady ? 0 : undefined;
    this.sleeps = settings.startsReady ? 0 : 1;
  }

  async invoke(request: SeededRequest, { signal }: InvokeContext): Promise<EndpointAnswer> {
    const { queueLimit = 8, alarmMs } = this.#settings;
    if (this.#state() !== 'ready') {
      this.coldAnswers++;
      if (alarmMs !== undefined) this.#time.at(this.#time.now() + alarmMs, () => this.#start());
      throw new EndpointError('cold', 'no capacity');
    }
    const mishap = this.#mishap(request);
    if (mishap === 'timeout') await this.#never(signal);
    if (mishap === 'reset-before') throw lostConnection();
    if (mishap === 'busy' || this.#waiting > queueLimit) throw new EndpointError('busy', 'the queue is full');
    if (mishap !== undefined && !mishap.endsWith('-after'))
      throw new EndpointError(mishap as EndpointFault, mishap);
    await this.#draw(signal);
    if (mishap === 'timeout-after') await this.#never(signal);
    if (mishap === 'reset-after') throw lostConnection();
    return { answer: pictureOf(request), timings: {} };
  }

  /** What has gone wrong with a picture so far, through no fault of the service. */
  failuresOf(request: SeededRequest): Failures {
    return this.#failures.get(pictureOf(request).result) ?? NO_FAILURES;
  }

  async wake(): Promise<void> {
    this.wakeCalls++;
    this.#start();
  }

  async state(): Promise<EndpointState> {
    return { state: this.#state() };
  }

  #start(): void {
    if (this.#state() === 'asleep') this.#readyAt = this.#time.now() + this.#settings.wakeMs;
  }

  #state(): 'asleep' | 'waking' | 'ready' {
    const { idleMs = Number.POSITIVE_INFINITY } = this.#settings;
    const now = this.#time.now();
    if (this.#readyAt === undefined) return 'asleep';
    if (now < this.#readyAt) return 'waking';
    if (now - Math.max(this.#readyAt, this.#freeAt) <= idleMs) return 'ready';
    this.#readyAt = undefined;
    this.sleeps++;
    return 'asleep';
  }

  #mishap(request: SeededRequest): Mishap | undefined {
    const { mishaps = {}, mostFailures = 2 } = this.#settings;
    const poisoned = request.prompt.startsWith(POISON);
    const name = poisoned ? 'model' : this.#pick(mishaps);
    if (name === undefined || HARMLESS.has(name)) return name;
    const failures = this.failuresOf(request);
    const most = poisoned ? Number.POSITIVE_INFINITY : mostFailures;
    const kind = name === 'refused' ? 'refused' : LOST.has(name) ? 'lost' : 'failed';
    if (kind !== 'lost' && failures.failed + failures.refused >= most) return undefined;
    const counted = { ...failures, [kind]: failures[kind] + 1 };
    this.#failures.set(pictureOf(request).result, counted);
    return name;
  }

  #pick(mishaps: Partial<Record<Mishap, number>>): Mishap | undefined {
    let fate = this.#random.next();
    for (const [name, chance] of Object.entries(mishaps) as [Mishap, number][]) {
      fate -= chance;
      if (fate >= 0) continue;
      this.mishaps++;
      return name;
    }
    return undefined;
  }

  async #draw(signal: AbortSignal): Promise<void> {
    const { drawMs = [150, 900] } = this.#settings;
    this.#freeAt = Math.max(this.#freeAt, this.#time.now()) + this.#random.between(...drawMs);
    this.#waiting++;
    // It does not know that its caller has gone.
    this.#time.at(this.#freeAt, () => {
      this.#waiting--;
      this.draws++;
    });
    await this.#time.sleep(this.#freeAt - this.#time.now(), signal);
    if (signal.aborted) throw timeout();
  }

  async #never(signal: AbortSignal): Promise<never> {
    await this.#time.sleep(TIMEOUT_MS, signal);
    throw timeout();
  }
}

function timeout(): EndpointError {
  return new EndpointError('timeout', 'the endpoint did not answer in time');
}

function lostConnection(): EndpointError {
  return new EndpointError('lost', 'the connection to the endpoint was lost');
}

/** What the model draws: nothing but the request decides. */
export function pictureOf(request: SeededRequest): EndpointAnswer['answer'] {
  const { prompt, num_steps, seed, num_images, output_format, decoder, image, strength } = request;
  const fields = [prompt, num_steps, seed, num_images, output_format, decoder, image, strength];
  const wanted = JSON.stringify(fields);
  const result = createHash('sha256').update(wanted).digest('base64');
  return { result, seed, num_steps, output_format, decoder, tokens_cut: 0, model: 'simulated' };
}
