import type { SQSRecord } from 'aws-lambda';
import { processMessage, type WorkerServices } from '../../lib/predictions/process-message.js';
import { parseMessage } from '../shared/aws/sqs/parse-message.js';
import { errorFields } from '../shared/error-fields.js';
import type { Telemetry } from '../shared/telemetry.js';

/** After a failure of the store or the queue. Seconds. */
const TROUBLE_RETRY_S = 30;

export interface ConsumeProps {
  readonly services: WorkerServices;
  readonly telemetry: Telemetry;
  /** Lets the message be received again after so many seconds. */
  readonly retryIn: (record: SQSRecord, seconds: number) => Promise<void>;
}

/** @returns whether the message is done; else the queue delivers it again, and counts */
export async function consume(record: SQSRecord, props: ConsumeProps): Promise<boolean> {
  const { services, telemetry, retryIn } = props;
  const { SentTimestamp, ApproximateReceiveCount } = record.attributes;
  const fields = { message_id: record.messageId, receives: Number(ApproximateReceiveCount) };
  const message = parseMessage(record);
  if (!message) {
    telemetry.log('error', 'a message is not one of ours', fields);
    // Soon, so that it reaches the dead-letter queue: no receive will make it better.
    await retryIn(record, 0);
    return false;
  }
  // Webhooks wait on purpose.
  if (message.kind === 'predict')
    telemetry.measure('QueueAgeSeconds', 'Seconds', (services.clock.now() - Number(SentTimestamp)) / 1000);
  try {
    const verdict = await processMessage(message, services);
    telemetry.log('info', 'message', { ...fields, id: message.id, kind: message.kind, ...verdict });
    if (verdict.done) return true;
    telemetry.count('Predictions', 'again');
    await retryIn(record, verdict.retrySeconds);
  } catch (error) {
    telemetry.log('error', 'a message could not be worked on', {
      ...fields,
      id: message.id,
      ...errorFields(error),
    });
    await retryIn(record, TROUBLE_RETRY_S);
  }
  return false;
}
