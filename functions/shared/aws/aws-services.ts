import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Services } from '../../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../../lib/predictions/system-clock.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { toProblem } from '../problem-response.js';
import { reportEvent } from '../report-event.js';
import type { Telemetry } from '../telemetry.js';
import type { FunctionConfig } from './config.js';
import { S3PredictionStore } from './s3/s3-prediction-store.js';
import { S3Records } from './s3/s3-records.js';
import { S3WakeLog } from './s3/s3-wake-log.js';
import { SageMakerEndpoint } from './sagemaker/sagemaker-endpoint.js';
import { SqsMessageQueue } from './sqs/sqs-message-queue.js';

/** Everything that predictions are made of, on AWS. Regions and credentials come from the Lambda's environment. */
export function awsServices(config: FunctionConfig, telemetry: Telemetry): Services {
  const records = new S3Records(new S3Client({}), config.resultsBucket);
  const endpoint = new SageMakerEndpoint({
    // Busy answers are retried as long as the caller waits, not as often as the SDK thinks.
    runtime: new SageMakerRuntimeClient({ maxAttempts: 1 }),
    control: new SageMakerClient({}),
    endpointName: config.endpointName,
    inferenceComponentName: config.inferenceComponentName,
  });
  return {
    endpoint,
    store: new S3PredictionStore(records),
    queue: new SqsMessageQueue(new SQSClient({}), config.queueUrl),
    waker: new Waker({ endpoint, log: new S3WakeLog(records) }),
    clock: SYSTEM_CLOCK,
    retentionMs: config.retentionMs,
    toProblem,
    onEvent: (event) => reportEvent(telemetry, event),
  };
}
