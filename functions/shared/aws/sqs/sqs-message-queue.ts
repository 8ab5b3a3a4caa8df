import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { AppError } from '../../../../lib/errors/app-error.js';
import type { Message, MessageQueue } from '../../../../lib/predictions/message-queue.js';

export class SqsMessageQueue implements MessageQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async send(message: Message, delaySeconds = 0): Promise<void> {
    const MessageBody = JSON.stringify(message);
    try {
      await this.#client.send(
        new SendMessageCommand({ QueueUrl: this.#url, MessageBody, DelaySeconds: delaySeconds }),
      );
    } catch (cause) {
      throw new AppError('UNAVAILABLE', 'cannot send a message to the queue', { cause });
    }
  }
}
