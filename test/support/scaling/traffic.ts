/** A generator that is the same everywhere (mulberry32), uniform in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Random moments, exponentially apart (a Poisson process). Whole seconds, in order.
 *
 * @param rate of the moment, per second; at most `most`
 */
export function arrivals(
  seconds: number,
  most: number,
  rate: (second: number) => number,
  random: () => number,
): number[] {
  const found: number[] = [];
  if (most === 0) return found;
  for (let time = 0; ; ) {
    time += -Math.log(1 - random()) / most;
    if (time >= seconds) return found;
    if (random() < rate(time) / most) found.push(Math.floor(time));
  }
}
