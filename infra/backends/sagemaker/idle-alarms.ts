import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { EndpointMetrics } from './endpoint-metrics.js';

/** A copy may need that long from the first sign of its instance until it answers. Minutes. */
const LONGEST_WAKE = 30;

export interface IdleAlarmsProps {
  readonly limits: { readonly idleMinutes: number };
  readonly metrics: EndpointMetrics;
  /** Counts of work that waits elsewhere. */
  readonly pending: Readonly<Record<string, IMetric>>;
}

/**
 * Two alarms that say "up, and nothing to do":
 *
 * - for `idleMinutes` in a row a copy was up, no request came, and none waited in the queue or was being worked on;
 * - for half an hour more there was an instance, and no work: a container that cannot start, or, should AWS not report
 *   on copies as documented, one that can.
 *
 * A request lasts 60 s at most, and CloudWatch's data are some three minutes late at worst, so `idleMinutes` are 5 at
 * least: what is being drawn has been counted. A request that comes after the last minute that the alarm has seen may
 * lose its copy; it is drained, or finds none and is queued.
 */
export function idleAlarms(scope: Construct, { limits, metrics, pending }: IdleAlarmsProps): Alarm[] {
  const work = { invocations: metrics.invocations(), ...pending };
  const idle = (id: string, sign: IMetric, minutes: number, alarmDescription: string) =>
    new Alarm(scope, id, {
      alarmDescription,
      metric: idleMetric(sign, work),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: minutes,
      datapointsToAlarm: minutes,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  const { idleMinutes } = limits;
  return [
    idle(
      'IdleAlarm',
      metrics.copies(),
      idleMinutes,
      'A copy is up and has nothing to do: the endpoint may sleep.',
    ),
    idle(
      'WasteAlarm',
      metrics.instances(),
      idleMinutes + LONGEST_WAKE,
      'An instance is billed and draws nothing: the endpoint is put to sleep all the same.',
    ),
  ];
}

/**
 * 1 in a minute with a sign of life and without work, 0 in one with both, and no data without a sign: of a sleeping
 * endpoint, and of a minute whose data are late. (With FILL for the sign, too, the newest minute would never be idle.)
 */
function idleMetric(up: IMetric, work: Readonly<Record<string, IMetric>>): MathExpression {
  const sum = Object.keys(work)
    .map((name) => `FILL(${name}, 0)`)
    .join(' + ');
  return new MathExpression({
    expression: `IF(${sum} > 0, 0, 1) + 0 * up`,
    usingMetrics: { up, ...work },
    label: 'idle',
    period: Duration.minutes(1),
  });
}
