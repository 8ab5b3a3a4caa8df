import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Backend } from '../backends/backend.js';
import type { FunctionSettings } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';
import type { PredictionQueue } from './prediction-queue.js';
import type { Results } from './results.js';
import type { WebhookSecret } from './webhook-secret.js';

/** SageMaker's 60 s for a request, and what is around it. */
const TIMEOUT = Duration.seconds(75);

export interface WorkerProps {
  readonly backend: Backend;
  readonly queue: PredictionQueue;
  readonly results: Results;
  readonly webhookSecret: WebhookSecret;
  readonly settings: FunctionSettings;
}

/** Draws what waits in the queue, and records what was given up. */
export class Worker extends Construct {
  readonly consumer: NodeFunction;
  readonly deadLetters: NodeFunction;

  constructor(scope: Construct, id: string, props: WorkerProps) {
    super(scope, id);
    const { backend, queue, results, webhookSecret, settings } = props;
    const { environment, ...common } = settings;
    this.consumer = new NodeFunction(this, 'Consumer', {
      ...common,
      description: 'Draws what waits in the queue, and sends webhooks',
      bundle: 'worker',
      timeout: TIMEOUT,
      memory: 512,
      environment: { ...environment, ...webhookSecret.environment },
    });
    results.grantPredictions(this.consumer);
    results.grantWakeLog(this.consumer);
    backend.grantConsumer(this.consumer);
    queue.grantSend(this.consumer);
    webhookSecret.grantRead(this.consumer);
    queue.consumeWith(this.consumer, backend.messagesAtOnce);

    this.deadLetters = new NodeFunction(this, 'DeadLetters', {
      ...common,
      description: 'Records that a prediction was given up',
      bundle: 'dead-letters',
      timeout: Duration.seconds(30),
      memory: 256,
      environment: { ...environment },
    });
    results.grantPredictions(this.deadLetters);
    queue.grantSend(this.deadLetters);
    queue.buryWith(this.deadLetters);
    backend.grantDeadLetters(this.deadLetters);
  }
}
