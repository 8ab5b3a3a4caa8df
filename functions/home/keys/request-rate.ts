/** How many requests a key may make at once on top of its rate: as many as the deploy's own plan. */
const BURST = 2;

interface Bucket {
  readonly tokens: number;
  /** Milliseconds. */
  readonly at: number;
}

/** Requests a second, by key: a bucket of tokens each, as API Gateway has them. */
export class RequestRate {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param rate a second
   * @param now milliseconds
   * @returns whether one more request is let in
   */
  take(name: string, rate: number, now: number): boolean {
    const full = rate * BURST;
    const { tokens, at } = this.#buckets.get(name) ?? { tokens: full, at: now };
    const filled = Math.min(full, tokens + (Math.max(0, now - at) / 1000) * rate);
    const isIn = filled >= 1;
    this.#buckets.set(name, { tokens: isIn ? filled - 1 : filled, at: now });
    return isIn;
  }
}
