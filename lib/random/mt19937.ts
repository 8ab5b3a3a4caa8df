const STATE_SIZE = 624;
const SHIFT = 397;

/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) with the 2002 initialisation from one number:
 * the engine of torch's CPU generator (ATen/core/MT19937RNGEngine.h).
 */
export class Mt19937 {
  readonly #state = new Uint32Array(STATE_SIZE);
  #position = STATE_SIZE;

  /** @param seed only its low 32 bits count, as in torch. */
  constructor(seed: number) {
    const state = this.#state;
    let word = seed >>> 0;
    state[0] = word;
    for (let i = 1; i < STATE_SIZE; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) >>> 0;
      state[i] = word;
    }
  }

  /** The next integer, uniform in 0..2^32-1. */
  nextUint32(): number {
    if (this.#position === STATE_SIZE) this.#twist();
    let word = this.#state[this.#position++] as number;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    word ^= word >>> 18;
    return word >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_SIZE; i++) {
      const high = state[i] as number;
      const low = state[i + 1 === STATE_SIZE ? 0 : i + 1] as number;
      const mixed = (high & 0x80000000) | (low & 0x7fffffff);
      const far = state[i < STATE_SIZE - SHIFT ? i + SHIFT : i + SHIFT - STATE_SIZE] as number;
      state[i] = far ^ (mixed >>> 1) ^ (low & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}
