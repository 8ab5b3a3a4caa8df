import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { QueuePair } from '../../basics/queue-pair.js';
import type { AlarmCondition, Graph } from '../backend.js';

/** The worker extends it each 20 s while it draws: a worker that is gone keeps a message no longer than this. */
const VISIBILITY = Duration.seconds(60);
/** Three crashes on one message. What waits for a wake is not received, and counts nothing. */
const MAX_RECEIVES = 3;
/** A wake takes a minute or two. */
const OLDEST_MESSAGE = Duration.minutes(5);

/** What is to be drawn: only workers with a GPU take from it. */
export class DrawQueue extends QueuePair {
  /** What a function, and the worker, need to know of it. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string) {
    super(scope, id, { visibilityTimeout: VISIBILITY, maxReceives: MAX_RECEIVES });
    this.environment = { DRAW_QUEUE_URL: this.queue.queueUrl };
  }

  /** Take, keep, finish, and put back. */
  grantDraw(grantee: IGrantable): void {
    this.grant(
      grantee,
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    );
  }

  /** See whether anything waits. */
  grantCount(grantee: IGrantable): void {
    this.grant(grantee, 'sqs:GetQueueAttributes');
  }

  get noWake(): AlarmCondition {
    return {
      alarmDescription:
        'A prediction waits longer than a wake takes: does the instance start (quota, capacity), and its worker? Or does ' +
        'more come than one instance draws?',
      metric: this.queue.metricApproximateAgeOfOldestMessage({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: OLDEST_MESSAGE.toSeconds(),
      evaluationPeriods: 1,
    };
  }

  get graphs(): Graph[] {
    return [
      {
        title: 'To be drawn: messages',
        left: [this.pending.waiting, this.pending.taken],
        right: [this.deadLetters.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' })],
      },
      {
        title: 'To be drawn: age (s)',
        left: [
          this.queue.metricApproximateAgeOfOldestMessage({
            statistic: Stats.MAXIMUM,
            period: Duration.minutes(1),
          }),
        ],
      },
    ];
  }
}
