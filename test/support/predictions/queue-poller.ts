import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';

/** After a message that was not done: stands for its visibility timeout, which the tests do not wait for. */
const HURRIED_MS = 50;
/** Between two looks at an empty queue. */
const POLL_MS = 50;

export interface QueuePollerProps {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly invoke: (event: SQSEvent) => Promise<SQSBatchResponse>;
}

/** What Lambda does between SQS and a function: receives one message at a time, and deletes what is done. */
export class QueuePoller {
  readonly #props: QueuePollerProps;
  #stopping = false;
  readonly #stopped: Promise<void>;

  constructor(props: QueuePollerProps) {
    this.#props = props;
    this.#stopped = this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#stopped;
  }

  async #poll(): Promise<void> {
    const { client, queueUrl } = this.#props;
    // No long poll: a message that comes while one is being aborted would be nobody's.
    const receive = { QueueUrl: queueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 0 };
    while (!this.#stopping) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ ...receive, MessageSystemAttributeNames: ['All'] }),
      );
      for (const message of Messages) await this.#deliver(message);
      if (Messages.length === 0) await pause(POLL_MS);
    }
  }

  async #deliver(message: Message): Promise<void> {
    const { client, queueUrl, invoke } = this.#props;
    // A function that throws has done nothing, as far as Lambda can tell.
    const failed = { batchItemFailures: [{ itemIdentifier: message.MessageId ?? '' }] };
    const { batchItemFailures } = await invoke(toSqsEvent(message)).catch(() => failed);
    if (batchItemFailures.length > 0) return void (await pause(HURRIED_MS));
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}

/** The event that Lambda makes of a message. */
export function toSqsEvent({ MessageId, ReceiptHandle, Body, MD5OfBody, Attributes }: Message): SQSEvent {
  const record = {
    messageId: MessageId ?? '',
    receiptHandle: ReceiptHandle ?? '',
    body: Body ?? '',
    attributes: Attributes as unknown as SQSEvent['Records'][0]['attributes'],
    messageAttributes: {},
    md5OfBody: MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:predictions',
    awsRegion: 'us-east-1',
  };
  return { Records: [record] };
}
