import type { SQSClient } from '@aws-sdk/client-sqs';
import { AppError } from '../../../lib/errors/app-error.js';
import type { Endpoint } from '../../../lib/predictions/endpoint.js';
import type { MessageQueue } from '../../../lib/predictions/message-queue.js';
import type { WorkerServices } from '../../../lib/predictions/process-message.js';
import { SYSTEM_CLOCK } from '../../../lib/predictions/system-clock.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { S3PredictionStore } from '../../shared/aws/s3/s3-prediction-store.js';
import type { S3Records } from '../../shared/aws/s3/s3-records.js';
import { S3WakeLog } from '../../shared/aws/s3/s3-wake-log.js';
import { SqsMessageQueue } from '../../shared/aws/sqs/sqs-message-queue.js';
import { toProblem } from '../../shared/problem-response.js';
import { reportEvent } from '../../shared/report-event.js';
import type { Telemetry } from '../../shared/telemetry.js';
import type { WorkerConfig } from '../config.js';

export interface WorkerServicesProps {
  readonly config: Pick<WorkerConfig, 'drawQueueUrl' | 'queueUrl' | 'retentionMs'>;
  readonly endpoint: Endpoint;
  readonly records: S3Records;
  readonly sqs: SQSClient;
  readonly telemetry: Telemetry;
}

/** What the worker's predictions are made of: the store of the API, and the model of this process. */
export function workerServices(props: WorkerServicesProps): WorkerServices {
  const { config, endpoint, records, telemetry } = props;
  return {
    endpoint,
    store: new S3PredictionStore(records),
    queue: messageQueue(props),
    waker: new Waker({ endpoint, log: new S3WakeLog(records) }),
    clock: SYSTEM_CLOCK,
    retentionMs: config.retentionMs,
    toProblem,
    onEvent: (event) => reportEvent(telemetry, event),
    sendWebhook: async () => {
      throw new AppError('UNSUPPORTED', 'a worker sends no webhooks');
    },
  };
}

/** What is to be drawn again comes back to the workers; what others do goes to them. */
function messageQueue({ config, sqs, telemetry }: WorkerServicesProps): MessageQueue {
  const draw = new SqsMessageQueue(sqs, config.drawQueueUrl);
  const others = config.queueUrl === undefined ? undefined : new SqsMessageQueue(sqs, config.queueUrl);
  return {
    async send(message, delaySeconds) {
      if (message.kind === 'predict') return draw.send(message, delaySeconds);
      if (others) return others.send(message, delaySeconds);
      telemetry.log('warn', 'a webhook is told of nothing: QUEUE_URL is not set', { id: message.id });
    },
  };
}
