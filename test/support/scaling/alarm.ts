import { at, type Properties } from '../infra/synth-service.js';
import { compile, type Value } from './metric-math.js';

/** CloudWatch looks some periods further back where data are missing; how many it does not say. */
const EXTRA_PERIODS = 5;

/** A metric's value in the period that began at `start` (seconds), as far as it is known at `now`. */
export type ReadMetric = (name: string, start: number, period: number, now: number) => Value;

/** A CloudWatch alarm as a template has it: one metric, or an expression over some. */
export class SimulatedAlarm {
  readonly period: number;
  readonly action: string;
  readonly #count: number;
  readonly #threshold: number;
  readonly #missingBreaches: boolean;
  readonly #valueAt: (start: number, now: number) => Value;

  constructor(properties: Properties, read: ReadMetric) {
    const metrics = properties['Metrics'] as Properties[] | undefined;
    this.period = metrics ? at<number>(metrics[1], 'MetricStat', 'Period') : at<number>(properties, 'Period');
    this.action = at<string>(properties, 'AlarmActions', 0, 'Ref');
    this.#count = at<number>(properties, 'EvaluationPeriods');
    this.#threshold = at<number>(properties, 'Threshold');
    this.#missingBreaches = properties['TreatMissingData'] === 'breaching';
    this.#valueAt = metrics ? this.#expression(metrics, read) : this.#metric(properties, read);
    if (properties['ComparisonOperator'] !== 'GreaterThanOrEqualToThreshold')
      throw new Error('not simulated');
    if (properties['DatapointsToAlarm'] !== this.#count) throw new Error('not simulated');
  }

  /** Whether it is in ALARM. Source: "Configuring how CloudWatch alarms treat missing data". */
  isOn(now: number): boolean {
    const newest = Math.floor(now / this.period) * this.period - this.period;
    let found = 0;
    for (let back = 0; back < this.#count + EXTRA_PERIODS && found < this.#count; back++) {
      const value = this.#valueAt(newest - back * this.period, now);
      if (value === undefined) continue;
      if (value < this.#threshold) return false;
      found += 1;
    }
    return found === this.#count || this.#missingBreaches;
  }

  #metric(properties: Properties, read: ReadMetric): (start: number, now: number) => Value {
    const name = at<string>(properties, 'MetricName');
    return (start, now) => read(name, start, this.period, now);
  }

  #expression(
    [expression, ...inputs]: Properties[],
    read: ReadMetric,
  ): (start: number, now: number) => Value {
    const term = compile(at<string>(expression, 'Expression'));
    const names = inputs.map(({ Id, MetricStat }) => [
      String(Id),
      at<string>(MetricStat, 'Metric', 'MetricName'),
    ]);
    return (start, now) => {
      const values: Record<string, Value> = {};
      for (const [id, name] of names as [string, string][]) values[id] = read(name, start, this.period, now);
      return term(values);
    };
  }
}
