import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.js';

export interface QueuePairProps {
  /** Of both: as long as whoever takes a message keeps it. */
  readonly visibilityTimeout: Duration;
  /** After so many a message is given up. */
  readonly maxReceives: number;
}

/** A queue, and one for what was given up: encrypted with SQS's own keys, over TLS only. */
export class QueuePair extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  /** Messages that wait, and that somebody works on; those sent for later are neither. */
  readonly pending: Readonly<Record<'waiting' | 'taken', IMetric>>;

  constructor(scope: Construct, id: string, { visibilityTimeout, maxReceives }: QueuePairProps) {
    super(scope, id);
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout,
      removalPolicy: RemovalPolicy.DESTROY,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    this.queue = new Queue(this, 'Queue', {
      ...common,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maxReceives },
    });
    const minute = { statistic: Stats.MAXIMUM, period: Duration.minutes(1) };
    this.pending = {
      waiting: this.queue.metricApproximateNumberOfMessagesVisible(minute),
      taken: this.queue.metricApproximateNumberOfMessagesNotVisible(minute),
    };
  }

  grantSend(grantee: IGrantable): Grant {
    return this.grant(grantee, 'sqs:SendMessage');
  }

  grant(grantee: IGrantable, ...actions: string[]): Grant {
    return Grant.addToPrincipal({ grantee, actions, resourceArns: [this.queue.queueArn] });
  }

  buryWith(consumer: NodeFunction): void {
    takeOneByOne(consumer, this.deadLetters, 2);
  }
}

/** @param concurrency messages that are worked on at once, at least 2 */
export function takeOneByOne({ function: consumer }: NodeFunction, queue: Queue, concurrency: number): void {
  consumer.addEventSource(
    new SqsEventSource(queue, {
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: Math.max(2, concurrency),
    }),
  );
}
