import * as z from 'zod';
import { predictionIdSchema } from '../schemas/prediction.js';

/** What the worker is told. Nothing but ids: prompts stay in the store. */
export const messageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('predict'),
    id: predictionIdSchema,
    /** How often the model has failed on it, or the connection, so far. */
    failures: z.int().min(0).default(0),
  }),
  z.strictObject({
    kind: z.literal('webhook'),
    id: predictionIdSchema,
    /** Requests made so far. */
    attempts: z.int().min(0).default(0),
  }),
  /** Comes for as long as a prediction has no result, where whoever draws it is not sent it. */
  z.strictObject({ kind: z.literal('watch'), id: predictionIdSchema }),
]);

export type Message = z.infer<typeof messageSchema>;
export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** Delivers each message at least once, in any order, to somebody who works on its kind. */
export interface MessageQueue {
  /**
   * Returns when the message is durable.
   *
   * @param delaySeconds at most 900, the limit of SQS. @default 0
   * @throws AppError UNAVAILABLE; UNSUPPORTED where nobody takes messages of this kind
   */
  send(message: Message, delaySeconds?: number): Promise<void>;
}
