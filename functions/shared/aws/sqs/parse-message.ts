import type { SQSRecord } from 'aws-lambda';
import { type Message, messageSchema } from '../../../../lib/predictions/message-queue.js';

/** @returns undefined for what this project has not written */
export function parseMessage({ body }: Pick<SQSRecord, 'body'>): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
