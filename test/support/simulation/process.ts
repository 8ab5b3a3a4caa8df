import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** The step at which a process dies, counted from 1, and whether what it asks for there still takes place. */
export interface Death {
  readonly step: number;
  readonly moment: 'before' | 'after';
}

const LATENCY_MS = [1, 40] as const;

/**
 * A process: every call of an adapter is a step that takes time, and may be its last. Of a dead process nothing
 * goes on; what it had asked for may take place all the same, as on a network.
 */
export class Process {
  readonly died: Promise<void>;
  alive = true;
  /** Steps so far. */
  steps = 0;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #death: Death | undefined;
  #bury: () => void = () => undefined;

  constructor(time: VirtualTime, random: Random, death?: Death) {
    this.#time = time;
    this.#random = random;
    this.#death = death;
    this.died = new Promise((resolve) => {
      this.#bury = resolve;
    });
  }

  /** Asks another machine for something. */
  async step<T>(effect: () => T | Promise<T>): Promise<T> {
    if (!this.alive) return never();
    const last = ++this.steps === this.#death?.step ? this.#death : undefined;
    if (last?.moment === 'before') this.die();
    if (!this.alive) return never();
    await this.#latency();
    const outcome = await settle(effect);
    if (last) this.die();
    await this.#latency();
    if (!this.alive) return never();
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await this.#time.sleep(ms, signal);
    if (!this.alive) return never();
  };

  die(): void {
    this.alive = false;
    this.#bury();
  }

  #latency(): Promise<void> {
    return this.#time.sleep(this.#random.between(...LATENCY_MS));
  }
}

async function settle<T>(effect: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await effect() };
  } catch (error) {
    return { error };
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
