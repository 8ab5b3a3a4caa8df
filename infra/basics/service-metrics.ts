import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';

/** Namespace of what the functions measure themselves, in CloudWatch's embedded format. */
export const METRICS_NAMESPACE = 'SdTurbo';

/** @param service as `POWERTOOLS_SERVICE_NAME` */
export function serviceMetric(
  service: string,
  metricName: string,
  { statistic = Stats.SUM, outcome }: { statistic?: string; outcome?: string } = {},
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service, ...(outcome !== undefined && { outcome }) },
    statistic,
    period: Duration.minutes(5),
    label: outcome ?? metricName,
  });
}
