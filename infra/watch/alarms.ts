import { Aws, Duration } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Api } from '../api/api.js';
import type { AlarmCondition, Backend } from '../backends/backend.js';
import { acknowledge } from '../basics/acknowledge.js';
import { serviceMetric } from '../basics/service-metrics.js';
import type { Worker } from '../predictions/worker.js';

/** Answers with 5xx in five minutes. */
const SERVER_ERRORS = 5;

export interface AlarmsProps {
  /** Of the service in its metrics. */
  readonly name: string;
  readonly backend: Backend;
  readonly api: Api;
  readonly worker: Worker;
  /** Who is told. @default nobody */
  readonly email?: string;
  /** Where it is told. @default a topic of its own, where there is an email */
  readonly topic?: ITopic;
  /** Dollars a month of the whole account. @default no budget */
  readonly monthlyBudget?: number;
}

/** What a person is told of. */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];
  /** Where they go. */
  readonly topic?: ITopic;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { name, backend, api, worker, email, monthlyBudget } = props;
    const topic = props.topic ?? (email === undefined ? undefined : this.#makeTopic());
    const five = Duration.minutes(5);
    this.all = [
      this.#alarm('GivenUp', {
        alarmDescription: `Predictions were given up: ${backend.givenUp}.`,
        metric: worker.deadLetters.function.metricInvocations({ statistic: Stats.SUM, period: five }),
        threshold: 1,
        evaluationPeriods: 1,
      }),
      this.#alarm('ServerErrors', {
        alarmDescription: 'The API answers with 5xx, and not because it is asleep.',
        metric: unexpectedErrors(name, api),
        threshold: SERVER_ERRORS,
        evaluationPeriods: 1,
      }),
      this.#alarm('BadNumbers', {
        alarmDescription: 'The model gave what are no numbers (502): try -c attentionKernels=exact.',
        metric: serviceMetric(name, 'BadNumbers'),
        threshold: 1,
        evaluationPeriods: 1,
      }),
      ...Object.entries(backend.alarms).map(([id, condition]) => this.#alarm(id, condition)),
    ];
    if (!topic) return;
    this.topic = topic;
    for (const alarm of this.all) alarm.addAlarmAction(new SnsAction(topic));
    if (email === undefined) return;
    topic.addSubscription(new EmailSubscription(email));
    if (monthlyBudget !== undefined) this.#budget(email, monthlyBudget);
  }

  #alarm(id: string, { action, ...condition }: AlarmCondition): Alarm {
    const alarm = new Alarm(this, id, {
      ...condition,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (action) alarm.addAlarmAction(action);
    return alarm;
  }

  #makeTopic(): Topic {
    const topic = new Topic(this, 'Topic', { displayName: 'SD-Turbo', enforceSSL: true });
    // A policy of one's own takes the place of SNS's, which would let everything in the account publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    acknowledge(topic, {
      'AwsSolutions-SNS2':
        'A key that CloudWatch may use costs $1 a month; the texts of alarms hold nothing secret.',
    });
    return topic;
  }

  #budget(address: string, amount: number): void {
    const notify = (notificationType: string, threshold: number) => ({
      notification: {
        notificationType,
        threshold,
        thresholdType: 'PERCENTAGE',
        comparisonOperator: 'GREATER_THAN',
      },
      subscribers: [{ subscriptionType: 'EMAIL', address }],
    });
    new CfnBudget(this, 'Budget', {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount, unit: 'USD' } },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }
}

/** OpenAI's route answers 503 while the endpoint wakes: those are counted by the function, and are no errors. */
export function unexpectedErrors(name: string, { restApi }: Api): IMetric {
  const period = Duration.minutes(5);
  return new MathExpression({
    expression: 'FILL(errors, 0) - FILL(later, 0)',
    usingMetrics: {
      errors: restApi.metricServerError({ statistic: Stats.SUM, period }),
      later: serviceMetric(name, 'Requests', { outcome: 'later' }),
    },
    label: '5xx',
    period,
  });
}
