import type { SQSClient } from '@aws-sdk/client-sqs';
import { AppError } from '../../../lib/errors/app-error.js';
import type { PushedEndpoint } from '../../../lib/predictions/endpoint.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
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
  readonly endpoint: PushedEndpoint;
  readonly records: S3Records;
  readonly sqs: SQSClient;
  readonly telemetry: Telemetry;
}

/** What the worker's predictions are made of: the store of the API, and the model of this process. */
export function workerServices(props: WorkerServicesProps): WorkerServices {
  const { config, endpoint, records, sqs, telemetry } = props;
  const { drawQueueUrl, queueUrl, retentionMs } = config;
  return {
    endpoint,
    store: new S3PredictionStore(records),
    links: { make: untold },
    queue: new SqsMessageQueue({ client: sqs, drawQueueUrl, queueUrl }),
    waker: new Waker({ endpoint, log: new S3WakeLog(records) }),
    clock: SYSTEM_CLOCK,
    retentionMs,
    toProblem,
    onEvent: (event) => reportEvent(telemetry, event),
  };
}

/** Addresses are told by those who answer requests and tell webhooks: they sign them, too. */
async function untold(): Promise<never> {
  throw new AppError('UNSUPPORTED', 'a worker tells nobody where pictures are');
}
