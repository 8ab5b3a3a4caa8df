import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { AppError } from '../../lib/errors/app-error.js';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { webhookSecret } from '../shared/aws/webhook-secret.js';
import { errorFields } from '../shared/error-fields.js';
import { makeWebhookSender } from '../shared/webhooks/webhook-sender.js';
import { consume } from './consume.js';
import { retryWith } from './retry-in.js';

const config = readFunctionConfig();
const telemetry = powertoolsTelemetry();
const { webhookSecretParameter: parameter, queueUrl } = config;
const readSecret =
  parameter === undefined ? noSecret : webhookSecret({ client: new SSMClient({}), parameter });
const services = { ...(await awsServices(config, telemetry)), sendWebhook: makeWebhookSender({ secret }) };
const retryIn = retryWith(new SQSClient({}), queueUrl, telemetry);

/** The queue's consumer. What is not done is reported, and comes again. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of Records) {
    const done = await consume(record, { services, telemetry, retryIn });
    if (!done) batchItemFailures.push({ itemIdentifier: record.messageId });
  }
  telemetry.flush();
  return { batchItemFailures };
}

/** Why it cannot be read is ours to know, not the receiver's. */
async function secret(): Promise<string> {
  return readSecret().catch((error) => {
    telemetry.log('error', 'the webhook secret could not be read', errorFields(error));
    throw error;
  });
}

async function noSecret(): Promise<string> {
  throw new AppError('UNSUPPORTED', 'webhooks are not set up here: WEBHOOK_SECRET_PARAMETER is not set');
}
