import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { AppError } from '../../../../lib/errors/app-error.js';

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/**
 * Messages of a queue: those that wait, that somebody works on, and that come later. SQS counts on several machines, and
 * takes up to a minute to agree with itself.
 *
 * @throws AppError UNAVAILABLE
 */
export async function countMessages(client: SQSClient, queueUrl: string): Promise<number> {
  try {
    const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] });
    const { Attributes = {} } = await client.send(command);
    return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  } catch (cause) {
    throw new AppError('UNAVAILABLE', 'the queue does not say how long it is', { cause });
  }
}
