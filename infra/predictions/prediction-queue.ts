import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { NodeFunction } from '../basics/node-function.js';

/** The worker's 75 s, twice: Lambda may hold a message for a while before it starts. */
const VISIBILITY = Duration.seconds(150);
/** One each 20 s while the endpoint wakes: 20 minutes, twice the longest wake that was reported. */
const MAX_RECEIVES = 60;

/** What waits for a picture, and what was given up. */
export class PredictionQueue extends Construct {
  /** What a function needs to know of it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Messages that wait, and that somebody works on. Those sent for later, most of them webhooks to try again, are not. */
  readonly pending: Readonly<Record<'waiting' | 'taken', IMetric>>;
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY,
      removalPolicy: RemovalPolicy.DESTROY,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    this.queue = new Queue(this, 'Queue', {
      ...common,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    this.environment = { QUEUE_URL: this.queue.queueUrl };
    const minute = { statistic: Stats.MAXIMUM, period: Duration.minutes(1) };
    this.pending = {
      waiting: this.queue.metricApproximateNumberOfMessagesVisible(minute),
      taken: this.queue.metricApproximateNumberOfMessagesNotVisible(minute),
    };
  }

  grantSend(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['sqs:SendMessage'],
      resourceArns: [this.queue.queueArn],
    });
  }

  /** @param concurrency messages that are worked on at once, at least 2 */
  consumeWith({ function: consumer }: NodeFunction, concurrency: number): void {
    consumer.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: Math.max(2, concurrency),
      }),
    );
  }

  buryWith({ function: consumer }: NodeFunction): void {
    consumer.addEventSource(
      new SqsEventSource(this.deadLetters, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: 2,
      }),
    );
  }
}
