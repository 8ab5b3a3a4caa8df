import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Api } from '../api/api.js';
import type { Endpoint } from '../backends/sagemaker/endpoint.js';
import type { PredictionQueue } from '../predictions/prediction-queue.js';
import { serviceMetric } from './service-metrics.js';

/** Dollars an hour in us-east-1, of types whose price was known when this was written. */
const DOLLARS_PER_HOUR: Readonly<Record<string, number>> = { 'ml.g4dn.xlarge': 0.736 };
const PHASES = ['EndpointQueueMs', 'TextEncoderMs', 'UnetMs', 'DecoderMs', 'EncodeMs'];

export interface DashboardProps {
  /** Of the dashboard, and of the service in its metrics. */
  readonly name: string;
  readonly instanceType: string;
  readonly endpoint: Endpoint;
  readonly queue: PredictionQueue;
  readonly api: Api;
  readonly alarms: readonly Alarm[];
}

/** What happens, on one page: requests, sleep and wake, the queue, the GPU, and what it costs. */
export class Dashboard extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { name } = props;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: name,
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
    const { region } = Stack.of(this);
    this.url = `https://console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards:name=${name}`;
  }
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 6, height: 6 });
}

function costs({ endpoint, instanceType }: DashboardProps): IWidget {
  const hours = new MathExpression({
    expression: 'minutes / 60',
    usingMetrics: { minutes: endpoint.metrics.instances().with({ period: Duration.days(1) }) },
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
  const predictions = ['succeeded', 'failed', 'again'];
  const { restApi } = api;
  const five = { period: Duration.minutes(5) };
  return [
    graph(
      'Requests by outcome',
      outcomes.map((outcome) => serviceMetric(name, 'Requests', { outcome })),
    ),
    graph('API: latency (ms)', [
      restApi.metricLatency({ ...five, statistic: Stats.p(50), label: 'p50' }),
      restApi.metricLatency({ ...five, statistic: Stats.p(95), label: 'p95' }),
    ]),
    graph('API: errors', [restApi.metricClientError(five), restApi.metricServerError(five)]),
    graph(
      'Queued predictions by outcome',
      predictions.map((outcome) => serviceMetric(name, 'Predictions', { outcome })),
      [serviceMetric(name, 'WebhookFailures')],
    ),
  ];
}

function wakes({ name, endpoint, queue }: DashboardProps): IWidget[] {
  const { metrics } = endpoint;
  return [
    graph('Instances (billed)', [metrics.instances().with({ label: 'instances' })]),
    graph(
      'Wakes',
      [serviceMetric(name, 'Wakes'), serviceMetric(name, 'ColdStarts')],
      [serviceMetric(name, 'ColdStartSeconds', { statistic: Stats.MAXIMUM })],
    ),
    graph(
      'Queue: messages',
      [queue.pending.waiting, queue.pending.taken],
      [queue.deadLetters.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' })],
    ),
    graph('Queue: age (s)', [serviceMetric(name, 'QueueAgeSeconds', { statistic: Stats.MAXIMUM })]),
  ];
}

function drawing({ name, endpoint }: DashboardProps): IWidget[] {
  const { metrics } = endpoint;
  return [
    graph(
      'Phases of a picture (ms, p50)',
      PHASES.map((phase) => serviceMetric(name, phase, { statistic: Stats.p(50) })),
    ),
    graph(
      'Endpoint: requests',
      [
        metrics.invocations(),
        metrics.serverErrors(),
        metrics.noCapacity().with({ period: Duration.minutes(1) }),
      ],
      [metrics.concurrency()],
    ),
    graph('Endpoint: latency (us, p95)', [metrics.latency()]),
    graph('GPU (%)', [metrics.gpu(), metrics.gpuMemory()]),
  ];
}
