import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Telemetry } from '../telemetry.js';

export interface FlushedTelemetry extends Telemetry {
  /** Writes the invocation's metrics. */
  flush(): void;
}

const UNITS = { Seconds: MetricUnit.Seconds, Milliseconds: MetricUnit.Milliseconds } as const;

/** Structured logs, and metrics in CloudWatch's embedded format; names come from POWERTOOLS_* variables. */
export function powertoolsTelemetry(): FlushedTelemetry {
  const logger = new Logger();
  const metrics = new Metrics();
  return {
    log: (level, message, fields = {}) => logger[level](message, { ...fields }),
    count(name, outcome) {
      if (outcome === undefined) metrics.addMetric(name, MetricUnit.Count, 1);
      else metrics.singleMetric().addDimension('outcome', outcome).addMetric(name, MetricUnit.Count, 1);
    },
    measure: (name, unit, value) => metrics.addMetric(name, UNITS[unit], value),
    flush: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}
