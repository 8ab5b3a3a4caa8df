import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Ec2Action, Ec2InstanceAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { AlarmCondition, Graph } from '../backend.js';

/** Hours without pause after which an instance is stopped, whatever it does: its own clock ends after eleven. */
const AWAKE_HOURS = 12;

/** Processor time, which has data each minute in which the instance runs, and none else. */
function processor(instanceId: string, statistic: string, period: Duration): Metric {
  return new Metric({
    namespace: 'AWS/EC2',
    metricName: 'CPUUtilization',
    dimensionsMap: { InstanceId: instanceId },
    statistic,
    period,
  });
}

/** An alarm each: CloudWatch stops the instance that the metric is of, and none in the name of a sum. */
export function awakeForLong(instanceIds: readonly string[]): Record<string, AlarmCondition> {
  const alarms = instanceIds.map((instanceId, index) => {
    const condition = {
      alarmDescription: `An instance has been up, and billed, for ${AWAKE_HOURS} hours: it is stopped now, and wakes where something waits.`,
      metric: processor(instanceId, Stats.SAMPLE_COUNT, Duration.hours(1)),
      threshold: 1,
      evaluationPeriods: AWAKE_HOURS,
      action: new Ec2Action(Ec2InstanceAction.STOP),
    };
    return [index === 0 ? 'AwakeForLong' : `AwakeForLong${index + 1}`, condition] as const;
  });
  return Object.fromEntries(alarms);
}

export function instanceMinutes(
  instanceIds: readonly string[],
  period: Duration,
  label = 'minutes',
): IMetric {
  const minutes = instanceIds.map(
    (id, index) => [`m${index}`, processor(id, Stats.SAMPLE_COUNT, period)] as const,
  );
  return new MathExpression({
    expression: minutes.map(([name]) => `FILL(${name}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(minutes),
    label,
    period,
  });
}

export function processorGraph(instanceIds: readonly string[]): Graph {
  return {
    title: 'Processor (%)',
    left: instanceIds.map((id) => processor(id, Stats.MAXIMUM, Duration.minutes(1))),
  };
}
