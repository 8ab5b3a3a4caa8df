import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { failDeadLetter } from '../../lib/predictions/process-message.js';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { parseMessage } from '../shared/aws/sqs/parse-message.js';
import { errorFields } from '../shared/error-fields.js';

const telemetry = powertoolsTelemetry();
const services = await awsServices(readFunctionConfig(), telemetry);

/** The dead-letter queue: what came too often has failed, and its prediction says so. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of Records) {
    const { messageId: itemIdentifier } = record;
    try {
      const message = parseMessage(record);
      if (message) await failDeadLetter(message, services);
      telemetry.log('error', 'a message was given up', { message_id: itemIdentifier, id: message?.id });
    } catch (error) {
      telemetry.log('error', 'a dead letter could not be recorded', errorFields(error));
      batchItemFailures.push({ itemIdentifier });
    }
  }
  telemetry.flush();
  return { batchItemFailures };
}
