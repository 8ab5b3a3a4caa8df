import { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { IAlarmAction, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { CfnInferenceComponent } from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';
import { cronAt, type WarmHours } from '../../options/warm-hours.js';
import type { EndpointMetrics } from './endpoint-metrics.js';
import { idleAlarms } from './idle-alarms.js';

/** Requests at once that a copy is to have: one that is drawn, one that waits. */
const CONCURRENCY = 2;
/** What target tracking is told of a copy without requests: little, and more than nothing. */
const NEARLY_IDLE = 0.01;
/** A copy takes 2 to 10 minutes to come: until then it is on its way, and no reason to ask for another. Seconds. */
const SCALE_OUT_COOLDOWN = 300;
/**
 * After the last copy has gone no alarm takes one away for this long: whoever wakes the endpoint meanwhile keeps his
 * copy, although an alarm may last until the instance is released (12 minutes) and its data have come (3). Seconds.
 */
const SLEEP_COOLDOWN = 900;
const WAKE_COOLDOWN = 60;

export interface ScalingLimits {
  readonly minCopies: number;
  readonly maxCopies: number;
  /** Minutes without work before the last copy goes. */
  readonly idleMinutes: number;
  /** @default none */
  readonly warmHours?: WarmHours;
  /** Of `warmHours`. @default 'UTC' */
  readonly timeZone?: string;
}

export interface EndpointScalingProps {
  readonly component: CfnInferenceComponent;
  /** Of the component. */
  readonly name: string;
  readonly limits: ScalingLimits;
  readonly metrics: EndpointMetrics;
  /** Counts of work that waits elsewhere. */
  readonly pending: Readonly<Record<string, IMetric>>;
}

/**
 * How many copies there are.
 *
 * - 0 to 1: the API and the worker ask SageMaker directly; the wake alarm asks when they could not. Both set exactly
 *   one copy, so that asking twice does no harm.
 * - 1 to N and back to 1: target tracking on concurrent requests.
 * - to 0: an alarm on idleness sets exactly none. It needs signs of a copy: without them there is nothing to take away,
 *   and an alarm that also fired during sleep would take away each copy that a wake has just asked for, because
 *   CloudWatch repeats a scaling action every minute for as long as its alarm lasts.
 */
export class EndpointScaling extends Construct {
  readonly #target: CfnScalableTarget;
  readonly #name: string;

  constructor(scope: Construct, id: string, props: EndpointScalingProps) {
    super(scope, id);
    const { component, name, limits, metrics, pending } = props;
    this.#name = name;
    this.#target = new CfnScalableTarget(this, 'Target', {
      serviceNamespace: 'sagemaker',
      scalableDimension: 'sagemaker:inference-component:DesiredCopyCount',
      resourceId: `inference-component/${name}`,
      minCapacity: limits.minCopies,
      maxCapacity: limits.maxCopies,
      ...(limits.warmHours && { scheduledActions: warmHoursActions(limits.warmHours, limits) }),
    });
    this.#target.node.addDependency(component);
    if (limits.maxCopies > Math.max(1, limits.minCopies)) this.#followLoad(metrics);
    if (limits.minCopies > 0) return;
    this.#wakeOnRequest(metrics);
    const sleep = this.#exactly('Sleep', 0, SLEEP_COOLDOWN);
    for (const alarm of idleAlarms(this, { limits, metrics, pending })) alarm.addAlarmAction(sleep);
  }

  #wakeOnRequest(metrics: EndpointMetrics): void {
    const alarm = new Alarm(this, 'WakeAlarm', {
      alarmDescription:
        'A request found no copy: the backstop where nobody could wake the endpoint directly.',
      metric: metrics.noCapacity(),
      // AWS's own sample says "more than 1", with which a single request never wakes anything.
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#exactly('Wake', 1, WAKE_COOLDOWN));
  }

  /** Sets a number of copies, within the target's limits, however often it is told to. */
  #exactly(id: string, copies: number, cooldown: number): IAlarmAction {
    // The L2 wants two steps.
    const policy = new CfnScalingPolicy(this, id, {
      policyName: `${this.#name}-${id.toLowerCase()}`,
      policyType: 'StepScaling',
      scalingTargetId: this.#target.ref,
      stepScalingPolicyConfiguration: {
        adjustmentType: 'ExactCapacity',
        metricAggregationType: 'Maximum',
        cooldown,
        stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: copies }],
      },
    });
    return { bind: () => ({ alarmActionArn: policy.ref }) };
  }

  /**
   * Two policies, because one could also reach zero: by its own idea of idleness, which knows no queue. So the fast one
   * only scales out; the one that scales in never sees less than a trace of load, and stops at one copy.
   */
  #followLoad(metrics: EndpointMetrics): void {
    this.#track('ScaleOut', {
      predefinedMetricSpecification: {
        predefinedMetricType: 'SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution',
      },
      targetValue: CONCURRENCY,
      scaleOutCooldown: SCALE_OUT_COOLDOWN,
      disableScaleIn: true,
    });
    const load = metrics.concurrency();
    const dimensions = Object.entries(load.dimensions ?? {}).map(([name, value]) => ({ name, value }));
    this.#track('ScaleIn', {
      customizedMetricSpecification: {
        metrics: [
          {
            id: 'load',
            returnData: false,
            metricStat: {
              metric: { namespace: load.namespace, metricName: load.metricName, dimensions },
              stat: load.statistic,
            },
          },
          { id: 'floored', expression: `IF(load > ${NEARLY_IDLE}, load, ${NEARLY_IDLE})`, returnData: true },
        ],
      },
      targetValue: CONCURRENCY,
      scaleOutCooldown: SCALE_OUT_COOLDOWN,
      scaleInCooldown: SCALE_OUT_COOLDOWN,
    });
  }

  #track(id: string, configuration: CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty): void {
    new CfnScalingPolicy(this, id, {
      policyName: `${this.#name}-${id.toLowerCase()}`,
      policyType: 'TargetTrackingScaling',
      scalingTargetId: this.#target.ref,
      targetTrackingScalingPolicyConfiguration: configuration,
    });
  }
}

/** At the first minute the least number of copies becomes one, which wakes the endpoint; at the last it may sleep again. */
function warmHoursActions(
  { days, from, until }: WarmHours,
  { minCopies, maxCopies, timeZone = 'UTC' }: ScalingLimits,
): CfnScalableTarget.ScheduledActionProperty[] {
  const action = (scheduledActionName: string, minutes: number, minCapacity: number) => ({
    scheduledActionName,
    schedule: cronAt(minutes, days),
    timezone: timeZone,
    scalableTargetAction: { minCapacity, maxCapacity: maxCopies },
  });
  return [action('warm', from, 1), action('cool', until, minCopies)];
}
