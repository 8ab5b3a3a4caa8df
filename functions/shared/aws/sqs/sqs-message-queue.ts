import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { AppError } from '../../../../lib/errors/app-error.js';
import type { Message, MessageQueue } from '../../../../lib/predictions/message-queue.js';

export interface SqsMessageQueueProps {
  readonly client: SQSClient;
  /** Of the function that tells webhooks and watches over predictions. @default nobody does */
  readonly queueUrl?: string | undefined;
  /** Of the workers that draw. @default that function draws, too */
  readonly drawQueueUrl?: string | undefined;
}

/** One queue for everything, or two: one of those who have a GPU, and one of a function beside them. */
export class SqsMessageQueue implements MessageQueue {
  readonly #client: SQSClient;
  readonly #urls: Readonly<Record<Message['kind'], string | undefined>>;

  constructor({ client, queueUrl, drawQueueUrl = queueUrl }: SqsMessageQueueProps) {
    this.#client = client;
    this.#urls = { predict: drawQueueUrl, webhook: queueUrl, watch: queueUrl };
  }

  async send(message: Message, delaySeconds = 0): Promise<void> {
    const QueueUrl = this.#urls[message.kind];
    if (QueueUrl === undefined) {
      throw new AppError('UNSUPPORTED', `there is no queue here for messages of the kind ${message.kind}`);
    }
    const MessageBody = JSON.stringify(message);
    try {
      await this.#client.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds: delaySeconds }));
    } catch (cause) {
      throw new AppError('UNAVAILABLE', 'cannot send a message to the queue', { cause });
    }
  }
}
