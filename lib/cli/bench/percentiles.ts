/** How many values must lie above a percentile before it says more than the largest value does. */
const LEAST_ABOVE = 1;

export interface Percentiles {
  readonly min: number;
  readonly p50: number;
  /** Of 10 values and more. */
  readonly p90?: number;
  /** Of 100 values and more. */
  readonly p99?: number;
  readonly max: number;
}

/** Nearest-rank percentiles of at least one value; those that so few values do not carry are left out. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (percent: number) => sorted[Math.ceil((percent / 100) * sorted.length) - 1] as number;
  const carries = (percent: number) => sorted.length * (100 - percent) >= 100 * LEAST_ABOVE;
  return {
    min: sorted[0] as number,
    p50: at(50),
    ...(carries(90) ? { p90: at(90) } : {}),
    ...(carries(99) ? { p99: at(99) } : {}),
    max: sorted.at(-1) as number,
  };
}
