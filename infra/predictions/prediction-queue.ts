import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { NodeFunction } from '../basics/node-function.js';
import { QueuePair, takeOneByOne } from '../basics/queue-pair.js';

/** The worker's 75 s, twice: Lambda may hold a message for a while before it starts. */
const VISIBILITY = Duration.seconds(150);
/** One each 20 s while the endpoint wakes: 20 minutes, twice the longest wake that was reported. */
const MAX_RECEIVES = 60;

/** What waits for a picture or for a webhook's receiver, and what was given up. */
export class PredictionQueue extends QueuePair {
  /** What a function needs to know of it. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string) {
    super(scope, id, { visibilityTimeout: VISIBILITY, maxReceives: MAX_RECEIVES });
    this.environment = { QUEUE_URL: this.queue.queueUrl };
  }

  /** @param concurrency messages that are worked on at once, at least 2 */
  consumeWith(consumer: NodeFunction, concurrency: number): void {
    takeOneByOne(consumer, this.queue, concurrency);
  }
}
