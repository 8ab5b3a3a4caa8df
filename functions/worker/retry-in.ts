import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { errorFields } from '../shared/error-fields.js';
import type { Telemetry } from '../shared/telemetry.js';

/** Sets when a message that was not done comes again. Where that fails, it comes after the queue's own timeout. */
export function retryWith(client: SQSClient, queueUrl: string, telemetry: Telemetry) {
  return async ({ receiptHandle }: SQSRecord, seconds: number): Promise<void> => {
    const VisibilityTimeout = Math.ceil(seconds);
    const change = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout };
    await client
      .send(new ChangeMessageVisibilityCommand(change))
      .catch((error) => telemetry.log('warn', 'a visibility timeout could not be set', errorFields(error)));
  };
}
