import * as z from 'zod';
import { predictionSchema } from './prediction.js';

const [, succeeded, linked, failed, canceled] = predictionSchema.options;

const timestamp = z.iso.datetime().describe('When the prediction ended, which is before this was sent.');

/**
 * The body of a webhook: what `GET /predictions/{id}` answers, less how the telling goes. Source: Standard Webhooks 1.0.0,
 * "Payload structure".
 */
export const webhookEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('prediction.succeeded'),
    timestamp,
    data: z.union([succeeded.omit({ webhook: true }), linked.omit({ webhook: true })]),
  }),
  z.strictObject({ type: z.literal('prediction.failed'), timestamp, data: failed.omit({ webhook: true }) }),
  z.strictObject({
    type: z.literal('prediction.canceled'),
    timestamp,
    data: canceled.omit({ webhook: true }),
  }),
]);

export type WebhookEvent = z.infer<typeof webhookEventSchema>;
/** A prediction that has ended, without how its webhook is told. */
export type EndedPrediction = WebhookEvent['data'];
