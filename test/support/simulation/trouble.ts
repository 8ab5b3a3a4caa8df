import { AppError } from '../../../lib/errors/app-error.js';
import type { Random } from './random.js';

/** Chances per call, 0 where left out. */
export interface Chances {
  /** Nothing takes place, and the caller is told so. */
  readonly refused?: number;
  /** It takes place, and the caller is told that it did not. */
  readonly answerLost?: number;
  /** It takes place, its answer is lost, and the SDK asks a second time. */
  readonly repeated?: number;
}

/** What the service asks other machines for. */
export type Part = 'read' | 'write' | 'send' | 'receipt' | 'log' | 'wake' | 'state';

/** Lets calls go wrong by chance, and counts those that did. */
export class Trouble {
  readonly counts: Record<Part, number> = {
    read: 0,
    write: 0,
    send: 0,
    receipt: 0,
    log: 0,
    wake: 0,
    state: 0,
  };
  readonly #chances: Partial<Record<Part, Chances>>;
  readonly #random: Random;

  constructor(chances: Partial<Record<Part, Chances>>, random: Random) {
    this.#chances = chances;
    this.#random = random;
  }

  async through<T>(part: Part, effect: () => T | Promise<T>): Promise<T> {
    const { refused = 0, answerLost = 0, repeated = 0 } = this.#chances[part] ?? {};
    const fate = this.#random.next();
    if (fate >= refused + answerLost + repeated) return effect();
    this.counts[part]++;
    if (fate < refused) throw new AppError('UNAVAILABLE', `${part}: refused`);
    await effect();
    if (fate < refused + answerLost) throw new AppError('UNAVAILABLE', `${part}: the answer was lost`);
    return effect();
  }
}
