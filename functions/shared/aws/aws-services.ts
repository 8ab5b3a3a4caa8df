import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../../lib/predictions/system-clock.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { toProblem } from '../problem-response.js';
import { reportEvent } from '../report-event.js';
import type { Telemetry } from '../telemetry.js';
import type { FunctionConfig } from './config.js';
import { connectBackend } from './connect-backend.js';
import { S3PictureLinks } from './s3/s3-picture-links.js';
import { S3PredictionStore } from './s3/s3-prediction-store.js';
import { S3Records } from './s3/s3-records.js';
import { S3WakeLog } from './s3/s3-wake-log.js';
import { SqsMessageQueue } from './sqs/sqs-message-queue.js';

/** What the functions behind the gateway have in common; what tells webhooks is one's own. */
export type AwsServices = ApiServices & Omit<WorkerServices, 'sendWebhook'>;

/** Everything that predictions are made of, on AWS. Regions and credentials come from the Lambda's environment. */
export async function awsServices(config: FunctionConfig, telemetry: Telemetry): Promise<AwsServices> {
  const { queueUrl, retentionMs, resultsBucket } = config;
  const s3 = new S3Client({});
  const records = new S3Records(s3, resultsBucket);
  const sqs = new SQSClient({});
  const { endpoint, delivery, work, drawQueueUrl, ...settings } = await connectBackend(config.backend, {
    records,
    sqs,
  });
  return {
    ...work,
    delivery,
    store: new S3PredictionStore(records),
    links: new S3PictureLinks(s3, resultsBucket),
    queue: new SqsMessageQueue({ client: sqs, queueUrl, drawQueueUrl }),
    waker: new Waker({ endpoint, log: new S3WakeLog(records), ...settings }),
    clock: SYSTEM_CLOCK,
    retentionMs,
    toProblem,
    onEvent: (event) => reportEvent(telemetry, event),
  };
}
