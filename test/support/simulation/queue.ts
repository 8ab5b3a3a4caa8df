import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** How long SQS hides a message of the function's queue that somebody has received: infra's setting. Milliseconds. */
const VISIBILITY_MS = 150_000;

interface Entry {
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
  deleted: boolean;
  /** Whether it is among those that may be received. */
  listed: boolean;
}

/** A message in somebody's hands. */
export interface Delivery {
  readonly body: string;
  readonly sentAt: number;
  readonly receives: number;
  readonly entry: object;
}

export interface QueueProps {
  readonly time: VirtualTime;
  readonly random: Random;
  /** Chance that a message is delivered twice. */
  readonly duplicates: number;
  /** How long a message is hidden that somebody has received. Milliseconds. @default 150,000 */
  readonly visibilityMs?: number;
  /** Receives after which a message goes to `onDead` instead. @default no end */
  readonly maxReceives?: number;
  readonly onDead?: (body: string) => void;
}

/** A standard queue of SQS: at least once, in any order, hidden for a while after a receive. */
export class SimulatedQueue {
  readonly #props: QueueProps;
  readonly #entries = new Set<Entry>();
  /** Those whose time has come; some of them have been hidden again. */
  readonly #visible: Entry[] = [];
  readonly #waiting: ((delivery: Delivery) => void)[] = [];

  constructor(props: QueueProps) {
    this.#props = props;
  }

  /** Messages that are not done. */
  get size(): number {
    return this.#entries.size;
  }

  send(body: string, delaySeconds = 0): void {
    const now = this.#props.time.now();
    const entry = { body, sentAt: now, visibleAt: now, receives: 0, deleted: false, listed: false };
    this.#entries.add(entry);
    this.#hide(entry, delaySeconds * 1000);
  }

  /** Resolves when there is one: a long poll without end. */
  receive(): Promise<Delivery> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#deliver();
    });
  }

  /** A long poll. Resolves with undefined where there is none in time, or when it is broken off. */
  receiveWithin(ms: number, signal: AbortSignal): Promise<Delivery | undefined> {
    return new Promise((resolve) => {
      const settle = (delivery?: Delivery) => {
        signal.removeEventListener('abort', end);
        resolve(delivery);
      };
      const end = () => {
        const index = this.#waiting.indexOf(settle);
        if (index >= 0) this.#waiting.splice(index, 1);
        settle();
      };
      this.#waiting.push(settle);
      signal.addEventListener('abort', end);
      const { time } = this.#props;
      time.at(time.now() + ms, end);
      this.#deliver();
    });
  }

  delete({ entry }: Delivery): void {
    const { random, duplicates, visibilityMs = VISIBILITY_MS } = this.#props;
    const known = entry as Entry;
    if (known.deleted) return;
    if (random.chance(duplicates / 2)) {
      // Some machine of SQS was away, and does not know of it.
      this.#hide(known, random.between(0, visibilityMs));
    } else {
      known.deleted = true;
      this.#entries.delete(known);
    }
  }

  changeVisibility({ entry }: Delivery, seconds: number): void {
    this.#hide(entry as Entry, seconds * 1000);
  }

  #hide(entry: Entry, ms: number): void {
    const { time } = this.#props;
    entry.visibleAt = time.now() + ms;
    time.at(entry.visibleAt, () => {
      if (this.#isDue(entry) && !entry.listed) {
        entry.listed = true;
        this.#visible.push(entry);
      }
      this.#deliver();
    });
  }

  #isDue({ deleted, visibleAt }: Entry): boolean {
    return !deleted && visibleAt <= this.#props.time.now();
  }

  #deliver(): void {
    const { random, duplicates, maxReceives = Number.POSITIVE_INFINITY, onDead } = this.#props;
    const { visibilityMs = VISIBILITY_MS } = this.#props;
    while (this.#waiting.length > 0 && this.#visible.length > 0) {
      const entry = this.#take();
      if (!this.#isDue(entry)) continue;
      if (entry.receives >= maxReceives) {
        this.#entries.delete(entry);
        entry.deleted = true;
        onDead?.(entry.body);
        continue;
      }
      entry.receives++;
      this.#hide(entry, random.chance(duplicates) ? random.between(0, 2_000) : visibilityMs);
      const { body, sentAt, receives } = entry;
      this.#waiting.shift()?.({ body, sentAt, receives, entry });
    }
  }

  /** Any of them: there is no order. */
  #take(): Entry {
    const index = this.#props.random.integer(0, this.#visible.length - 1);
    const entry = this.#visible[index] as Entry;
    this.#visible[index] = this.#visible.at(-1) as Entry;
    this.#visible.pop();
    entry.listed = false;
    return entry;
  }
}
