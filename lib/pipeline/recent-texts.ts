import type { Feed } from './network.js';

/** What the text encoder gave: float32 [1, 77, D]. */
export interface TextStates extends Feed {
  readonly values: Float32Array;
}

/** 10 MB of SD-Turbo's states: more prompts than one person tries in turn, and little beside the networks. */
const MOST_TEXTS = 32;

/** The states of the last few texts, by their tokens: those that were asked for least recently are forgotten first. */
export class RecentTexts {
  readonly #states = new Map<string, TextStates>();

  find(tokens: Int32Array): TextStates | undefined {
    const key = tokens.join();
    const states = this.#states.get(key);
    if (states) this.#put(key, states);
    return states;
  }

  keep(tokens: Int32Array, states: TextStates): void {
    this.#put(tokens.join(), states);
    const [oldest] = this.#states.keys();
    if (this.#states.size > MOST_TEXTS && oldest !== undefined) this.#states.delete(oldest);
  }

  /** As the last one. */
  #put(key: string, states: TextStates): void {
    this.#states.delete(key);
    this.#states.set(key, states);
  }
}
