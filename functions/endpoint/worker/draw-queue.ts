import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { AppError } from '../../../lib/errors/app-error.js';

/** A message that is this worker's for a while. */
export interface Delivery {
  /** SQS's own id of the message. */
  readonly id: string;
  readonly body: string;
  /** How often it has been received, this time included. */
  readonly receives: number;
  /** When it was sent. Milliseconds since 1970. */
  readonly sentAt: number;
  readonly receipt: string;
}

export interface DrawQueueProps {
  /** With a request timeout above the longest poll. */
  readonly client: SQSClient;
  readonly url: string;
  /** So long after its last sign of life a message comes again. */
  readonly visibilitySeconds: number;
}

/** The queue of pictures to draw, one message at a time. Methods that return a promise throw an `AppError` UNAVAILABLE. */
export class DrawQueue {
  readonly #props: DrawQueueProps;

  constructor(props: DrawQueueProps) {
    this.#props = props;
  }

  /**
   * Cannot be broken off: SQS may hand a message to who has just hung up, and hides it then from everybody.
   *
   * @param waitSeconds how long to wait for one: whole seconds, at most 20
   * @returns undefined where none came
   */
  async receive(waitSeconds: number): Promise<Delivery | undefined> {
    const { client, url, visibilitySeconds } = this.#props;
    const order = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount'],
    });
    const received = await client.send(order).catch((cause) => {
      // A refusal may pass, too: a permission that is new, a queue that is being replaced.
      throw new AppError('UNAVAILABLE', 'the queue does not answer', { cause });
    });
    const message = received.Messages?.[0];
    if (!message) return undefined;
    const { MessageId = '', Body = '', ReceiptHandle = '', Attributes = {} } = message;
    return {
      id: MessageId,
      body: Body,
      receives: Number(Attributes.ApproximateReceiveCount),
      sentAt: Number(Attributes.SentTimestamp),
      receipt: ReceiptHandle,
    };
  }

  /** It never comes again. */
  async done({ receipt }: Delivery): Promise<void> {
    const { client, url } = this.#props;
    await client
      .send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt }))
      .catch((cause) => Promise.reject(refusal('cannot delete a message', cause)));
  }

  /** It comes again after so many seconds. */
  async again({ receipt }: Delivery, seconds: number, signal?: AbortSignal): Promise<void> {
    const { client, url } = this.#props;
    const VisibilityTimeout = Math.ceil(seconds);
    const order = { QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout };
    await client
      .send(new ChangeMessageVisibilityCommand(order), signal ? { abortSignal: signal } : {})
      .catch((cause) => Promise.reject(refusal('cannot set when a message comes again', cause)));
  }

  /**
   * Keeps a message from others, by a sign of life each third of the time that it stays hidden.
   *
   * @param onTrouble told of signs that were not taken
   * @returns lets it go
   */
  hold(delivery: Delivery, onTrouble: (error: unknown) => void): () => void {
    const { visibilitySeconds } = this.#props;
    const letGo = new AbortController();
    const beat = () =>
      this.again(delivery, visibilitySeconds, letGo.signal).catch((error) => {
        if (!letGo.signal.aborted) onTrouble(error);
      });
    const timer = setInterval(beat, (visibilitySeconds * 1000) / 3);
    return () => {
      clearInterval(timer);
      letGo.abort();
    };
  }
}

/** What SQS refuses about a message (its receipt is too old, it is hidden no more) it refuses the next time, too. */
function refusal(what: string, cause: { $fault?: unknown }): AppError {
  return new AppError('UNAVAILABLE', what, { cause, retryable: cause.$fault !== 'client' });
}
