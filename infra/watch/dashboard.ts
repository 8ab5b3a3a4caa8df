import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IWidget,
  MathExpression,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Api } from '../api/api.js';
import type { Backend, Graph } from '../backends/backend.js';
import { serviceMetric } from '../basics/service-metrics.js';
import type { PredictionQueue } from '../predictions/prediction-queue.js';

/** Dollars an hour in us-east-1, of types whose price was known when this was written. */
const DOLLARS_PER_HOUR: Readonly<Record<string, number>> = { 'ml.g4dn.xlarge': 0.736, 'g4dn.xlarge': 0.526 };
const PHASES = ['EndpointQueueMs', 'TextEncoderMs', 'UnetMs', 'DecoderMs', 'EncodeMs'];

export interface DashboardProps {
  /** Of the service in its metrics. */
  readonly name: string;
  readonly instanceType: string;
  readonly backend: Backend;
  readonly queue: PredictionQueue;
  readonly api: Api;
  readonly alarms: readonly Alarm[];
}

/** What happens, on one page: requests, sleep and wake, the queue, the GPU, and what it costs. */
export class Dashboard extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { region } = Stack.of(this);
    // Dashboards are the account's, whatever the region: two services of one name may stand in two.
    const dashboardName = `${props.name}-${region}`;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName,
      defaultInterval: Duration.hours(12),
      widgets: [
        [
          new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: 18, height: 3 }),
          costs(props),
        ],
        requests(props),
        wakes(props),
        drawing(props),
      ],
    });
    this.url = `https://console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards:name=${dashboardName}`;
  }
}

function graph({ title, left, right = [] }: Graph): GraphWidget {
  return new GraphWidget({ title, left, right, width: 6, height: 6 });
}

function costs({ backend, instanceType }: DashboardProps): IWidget {
  const hours = new MathExpression({
    expression: 'minutes / 60',
    usingMetrics: { minutes: backend.instanceMinutes(Duration.days(1)) },
    period: Duration.days(1),
    label: 'instance hours',
  });
  const price = DOLLARS_PER_HOUR[instanceType];
  const dollars =
    price === undefined
      ? []
      : [
          new MathExpression({
            expression: `hours * ${price}`,
            usingMetrics: { hours },
            period: Duration.days(1),
            label: 'dollars (us-east-1)',
          }),
        ];
  return new SingleValueWidget({ title: 'Last day', metrics: [hours, ...dollars], width: 6, height: 3 });
}

function requests({ name, api }: DashboardProps): IWidget[] {
  const outcomes = ['drawn', 'replayed', 'accepted', 'refused', 'later', 'failed'];
  const predictions = ['succeeded', 'failed', 'canceled', 'again'];
  const { restApi } = api;
  const five = { period: Duration.minutes(5) };
  return [
    graph({
      title: 'Requests by outcome',
      left: outcomes.map((outcome) => serviceMetric(name, 'Requests', { outcome })),
    }),
    graph({
      title: 'API: latency (ms)',
      left: [
        restApi.metricLatency({ ...five, statistic: Stats.p(50), label: 'p50' }),
        restApi.metricLatency({ ...five, statistic: Stats.p(95), label: 'p95' }),
      ],
    }),
    graph({
      title: 'API: errors',
      left: [restApi.metricClientError(five), restApi.metricServerError(five)],
    }),
    graph({
      title: 'Queued predictions by outcome',
      left: predictions.map((outcome) => serviceMetric(name, 'Predictions', { outcome })),
      right: [serviceMetric(name, 'WebhookFailures')],
    }),
  ];
}

function wakes({ name, backend, queue }: DashboardProps): IWidget[] {
  return [
    graph({
      title: 'Instances (billed)',
      left: [backend.instanceMinutes(Duration.minutes(1), 'instances')],
    }),
    graph({
      title: 'Wakes',
      left: [serviceMetric(name, 'Wakes'), serviceMetric(name, 'ColdStarts')],
      right: [serviceMetric(name, 'ColdStartSeconds', { statistic: Stats.MAXIMUM })],
    }),
    graph({
      title: 'Queue: messages',
      left: [queue.pending.waiting, queue.pending.taken],
      right: [queue.deadLetters.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' })],
    }),
    graph({
      title: 'Queue: age (s)',
      left: [serviceMetric(name, 'QueueAgeSeconds', { statistic: Stats.MAXIMUM })],
    }),
  ];
}

function drawing({ name, backend }: DashboardProps): IWidget[] {
  return [
    graph({
      title: 'Phases of a picture (ms, p50)',
      left: PHASES.map((phase) => serviceMetric(name, phase, { statistic: Stats.p(50) })),
    }),
    ...backend.graphs.map(graph),
  ];
}
