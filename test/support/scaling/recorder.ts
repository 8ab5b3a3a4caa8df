import type { Value } from './metric-math.js';

/**
 * How a metric is made, and how many seconds after its period CloudWatch has it: `sum` and `presence` have data only
 * while there is something to say.
 */
const METRICS = {
  NoCapacityInvocationFailures: { kind: 'sum', late: [20, 60] },
  Invocations: { kind: 'sum', late: [30, 90] },
  ConcurrentRequestsPerCopy: { kind: 'always', late: [0, 10] },
  CPUUtilizationNormalized: { kind: 'presence', late: [30, 90] },
  CPUUtilization: { kind: 'presence', late: [30, 90] },
  ApproximateNumberOfMessagesVisible: { kind: 'always', late: [60, 180] },
  ApproximateNumberOfMessagesNotVisible: { kind: 'always', late: [60, 180] },
} as const;

export type MetricName = keyof typeof METRICS;

/** The latest that any metric may be. Seconds. */
export const MAX_LATE = Math.max(...Object.values(METRICS).map(({ late }) => late[1]));

/** CloudWatch's data: a value for each second, read by periods, when they have come. */
export class Recorder {
  readonly #series: Readonly<Record<MetricName, Float64Array>>;
  readonly #late: Readonly<Record<MetricName, number>>;
  readonly #periods = new Map<string, number>();

  constructor(seconds: number, random: () => number) {
    const each = <T>(make: (name: MetricName) => T) =>
      Object.fromEntries(Object.keys(METRICS).map((name) => [name, make(name as MetricName)])) as Record<
        MetricName,
        T
      >;
    this.#series = each(() => new Float64Array(seconds));
    this.#late = each((name) => {
      const [least, most] = METRICS[name].late;
      return Math.round(least + random() * (most - least));
    });
  }

  /** One more, in this second. */
  count(name: MetricName, second: number): void {
    const series = this.#series[name];
    series[second] = (series[second] ?? 0) + 1;
  }

  /** The value from one second until another. */
  set(name: MetricName, value: number, from: number, until: number): void {
    if (value !== 0) this.#series[name].fill(value, from, until);
  }

  read(name: string, start: number, period: number, now: number): Value {
    if (!(name in METRICS)) throw new Error(`${name} is not simulated`);
    const metric = name as MetricName;
    if (start < 0 || now < start + period + this.#late[metric]) return undefined;
    const value = this.#aggregate(metric, start, period);
    return value === 0 && METRICS[metric].kind !== 'always' ? undefined : value;
  }

  #aggregate(name: MetricName, start: number, period: number): number {
    const key = `${name} ${start} ${period}`;
    const known = this.#periods.get(key);
    if (known !== undefined) return known;
    const values = this.#series[name].subarray(start, start + period);
    const isSum = METRICS[name].kind === 'sum';
    const value = values.reduce((a, b) => (isSum ? a + b : Math.max(a, b)), 0);
    this.#periods.set(key, value);
    return value;
  }
}
