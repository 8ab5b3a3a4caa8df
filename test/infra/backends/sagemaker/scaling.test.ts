import { describe, expect, test } from 'vitest';
import { at, type Service, synthService } from '../../../support/infra/synth-service.js';

const service = synthService();

/** By the end of its path in the stack. */
function alarm(name: string, from: Service = service) {
  return from.properties('AWS::CloudWatch::Alarm', `Endpoint/Scaling/${name}`);
}

function policy(name: string, from: Service = service) {
  return from.properties('AWS::ApplicationAutoScaling::ScalingPolicy', `Endpoint/Scaling/${name}`);
}

function action(name: string): unknown {
  return { Ref: service.id('AWS::ApplicationAutoScaling::ScalingPolicy', `Endpoint/Scaling/${name}`) };
}

test('the target is the component, by name, from none to the maximum', () => {
  expect(service.properties('AWS::ApplicationAutoScaling::ScalableTarget')).toEqual({
    ServiceNamespace: 'sagemaker',
    ScalableDimension: 'sagemaker:inference-component:DesiredCopyCount',
    ResourceId: 'inference-component/sd-turbo',
    MinCapacity: 0,
    MaxCapacity: 1,
  });
});

describe('wake', () => {
  test('one request that found no copy is enough, within 30 s', () => {
    expect(alarm('WakeAlarm')).toMatchObject({
      Namespace: 'AWS/SageMaker',
      MetricName: 'NoCapacityInvocationFailures',
      Dimensions: [{ Name: 'InferenceComponentName', Value: 'sd-turbo' }],
      Statistic: 'Maximum',
      Period: 30,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      AlarmActions: [action('Wake')],
    });
  });

  test('sets exactly one copy, so that repeating it adds none', () => {
    expect(at(policy('Wake'), 'StepScalingPolicyConfiguration')).toMatchObject({
      AdjustmentType: 'ExactCapacity',
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
    });
  });
});

describe('sleep', () => {
  test('sets exactly no copy, and then leaves whoever wakes the endpoint alone for as long as data are late', () => {
    expect(at(policy('Sleep'), 'StepScalingPolicyConfiguration')).toMatchObject({
      AdjustmentType: 'ExactCapacity',
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 0 }],
      Cooldown: 900,
    });
  });

  const signs = {
    IdleAlarm: {
      minutes: 5,
      namespace: '/aws/sagemaker/InferenceComponents',
      metric: 'CPUUtilizationNormalized',
      stat: 'Maximum',
    },
    WasteAlarm: {
      minutes: 35,
      namespace: '/aws/sagemaker/Endpoints',
      metric: 'CPUUtilization',
      stat: 'SampleCount',
    },
  };
  test.each(Object.entries(signs))('%s: a sign of life, no request, nothing in the queue', (name, sign) => {
    const idle = alarm(name);
    expect(idle).toMatchObject({
      EvaluationPeriods: sign.minutes,
      DatapointsToAlarm: sign.minutes,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      AlarmActions: [action('Sleep')],
      // It sleeps then: an alarm that went on would take away the copy of each wake.
      TreatMissingData: 'notBreaching',
    });
    const [expression, ...metrics] = at<Record<string, unknown>[]>(idle, 'Metrics');
    expect(expression).toMatchObject({
      Expression: 'IF(FILL(invocations, 0) + FILL(waiting, 0) + FILL(taken, 0) > 0, 0, 1) + 0 * up',
      ReturnData: true,
    });
    const read = metrics.map(({ Id, MetricStat }) => [
      Id,
      at(MetricStat, 'Metric', 'Namespace'),
      at(MetricStat, 'Metric', 'MetricName'),
      at(MetricStat, 'Stat'),
      at(MetricStat, 'Period'),
    ]);
    expect(read).toEqual([
      ['up', sign.namespace, sign.metric, sign.stat, 60],
      ['invocations', 'AWS/SageMaker', 'Invocations', 'Sum', 60],
      ['waiting', 'AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', 60],
      ['taken', 'AWS/SQS', 'ApproximateNumberOfMessagesNotVisible', 'Maximum', 60],
    ]);
  });

  test('idleMinutes moves both', () => {
    const other = synthService({ idleMinutes: '20' });
    expect(alarm('IdleAlarm', other)['EvaluationPeriods']).toBe(20);
    expect(alarm('WasteAlarm', other)['EvaluationPeriods']).toBe(50);
  });

  test('CloudWatch looks back one day at most', () => {
    const longest = synthService({ idleMinutes: 1380 });
    expect(Number(alarm('WasteAlarm', longest)['EvaluationPeriods']) * 60).toBeLessThanOrEqual(86_400);
  });
});

describe('more than one copy', () => {
  const many = synthService({ maxInstances: 3 });

  test('out: by concurrent requests, every 10 s, and never in', () => {
    expect(policy('ScaleOut', many)).toMatchObject({
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        PredefinedMetricSpecification: {
          PredefinedMetricType: 'SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution',
        },
        TargetValue: 2,
        DisableScaleIn: true,
      },
    });
  });

  test('in: never to none, which is for the idle alarm to say', () => {
    const tracking = at(policy('ScaleIn', many), 'TargetTrackingScalingPolicyConfiguration');
    expect(tracking['TargetValue']).toBe(2);
    const [load, floored] = at<Record<string, unknown>[]>(
      tracking,
      'CustomizedMetricSpecification',
      'Metrics',
    );
    expect(at(load, 'MetricStat', 'Metric', 'MetricName')).toBe('ConcurrentRequestsPerCopy');
    expect(floored).toMatchObject({ Expression: 'IF(load > 0.01, load, 0.01)', ReturnData: true });
  });

  test('a single copy needs neither, nor their alarms', () => {
    expect(service.all('AWS::ApplicationAutoScaling::ScalingPolicy')).toHaveLength(2);
  });
});

test('kept warm it neither sleeps nor wakes', () => {
  const warm = synthService({ minCopies: 1, maxInstances: 2 });
  expect(warm.properties('AWS::ApplicationAutoScaling::ScalableTarget')).toMatchObject({
    MinCapacity: 1,
    MaxCapacity: 2,
  });
  const policies = warm.all('AWS::ApplicationAutoScaling::ScalingPolicy');
  expect(policies.map(([, { Properties }]) => Properties['PolicyName']).sort()).toEqual([
    'sd-turbo-scalein',
    'sd-turbo-scaleout',
  ]);
  const scaling = warm
    .all('AWS::CloudWatch::Alarm')
    .filter(([, { Metadata }]) => Metadata?.['aws:cdk:path']?.includes('Scaling'));
  expect(scaling).toEqual([]);
});

test('warm hours raise the least number of copies to one, and lower it again', () => {
  const office = synthService({ warmHours: 'MON-WED 08:30-18:00', timeZone: 'Europe/Berlin' });
  const target = office.properties('AWS::ApplicationAutoScaling::ScalableTarget');
  expect(target['ScheduledActions']).toEqual([
    {
      ScheduledActionName: 'warm',
      Schedule: 'cron(30 8 ? * MON,TUE,WED *)',
      Timezone: 'Europe/Berlin',
      ScalableTargetAction: { MinCapacity: 1, MaxCapacity: 1 },
    },
    {
      ScheduledActionName: 'cool',
      Schedule: 'cron(0 18 ? * MON,TUE,WED *)',
      Timezone: 'Europe/Berlin',
      ScalableTargetAction: { MinCapacity: 0, MaxCapacity: 1 },
    },
  ]);
  // At other hours it sleeps and wakes as always.
  expect(office.all('AWS::ApplicationAutoScaling::ScalingPolicy')).toHaveLength(2);
});
