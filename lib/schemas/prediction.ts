import * as z from 'zod';
import { generateAnswerSchema, keptAnswerSchema, linkedAnswerSchema } from './answer.js';
import { problemSchema } from './problem.js';
import { drawRequestSchema, RESPONSE_FORMATS } from './request.js';

/** Made by `newPredictionId` or `predictionIdOf`. Nothing else reaches a key in the store. */
export const predictionIdSchema = z.string().regex(/^[a-z2-7]{32}$/);

const webhookOutcomeSchema = z.strictObject({
  status: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int().min(0).describe('Requests that were made.'),
  error: z.string().optional().describe('Why the last one failed.'),
});

/** Milliseconds by phase, as `Server-Timing` has them. */
const timings = z.record(z.string(), z.number().min(0));
const toldTimings = timings.describe(
  'Milliseconds in each phase of the drawing, as `Server-Timing` has them.',
);

const statusUrl = z.string().describe('Where the prediction is found.');

/** What `POST /predict` answers when the picture comes later. */
export const acceptedSchema = z.strictObject({
  id: predictionIdSchema,
  status: z.literal('queued'),
  status_url: statusUrl,
});

export const PREDICTION_STATUSES = ['queued', 'succeeded', 'failed', 'canceled'] as const;

/** What is known of each. */
export const predictionFacts = {
  id: predictionIdSchema,
  created_at: z.iso.datetime(),
  webhook: webhookOutcomeSchema.optional(),
};

/** What `GET /predictions/{id}` answers, and what a webhook is sent. */
export const predictionSchema = z.union([
  z.strictObject({ ...predictionFacts, status: z.literal('queued'), status_url: statusUrl }),
  z.strictObject({
    ...predictionFacts,
    status: z.literal('succeeded'),
    completed_at: z.iso.datetime(),
    ...generateAnswerSchema.shape,
    timings: toldTimings,
  }),
  z.strictObject({
    ...predictionFacts,
    status: z.literal('succeeded'),
    completed_at: z.iso.datetime(),
    ...linkedAnswerSchema.shape,
    timings: toldTimings,
  }),
  z.strictObject({
    ...predictionFacts,
    status: z.literal('failed'),
    completed_at: z.iso.datetime(),
    error: problemSchema,
  }),
  z.strictObject({ ...predictionFacts, status: z.literal('canceled'), completed_at: z.iso.datetime() }),
]);

/** The `caller` of what was accepted at home when there was one key: whoever has one may see it. */
export const ANYBODY = 'home';

/** `predictions/{id}/request.json`: what was accepted. */
export const requestRecordSchema = z.strictObject({
  id: predictionIdSchema,
  /** Who asked, and alone may see it: no key, and nothing that a key can be found from. */
  caller: z.string(),
  /** Of the request as it came, so that the same key with another body can be told. */
  fingerprint: z.string(),
  created_at: z.iso.datetime(),
  /** Of the HTTP request that brought it. */
  request_id: z.string(),
  /** The seed is settled here: whoever draws, and how often, draws the same picture. */
  request: drawRequestSchema.required({ seed: true }),
  webhook: z.string().optional(),
  /** @default base64 */
  response_format: z.enum(RESPONSE_FORMATS).optional(),
});

/** `predictions/{id}/result.json`: written once, never again. */
export const resultRecordSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('succeeded'),
    completed_at: z.iso.datetime(),
    answer: z.union([generateAnswerSchema, keptAnswerSchema]),
    timings: timings.default({}),
  }),
  z.strictObject({ status: z.literal('failed'), completed_at: z.iso.datetime(), error: problemSchema }),
  z.strictObject({ status: z.literal('canceled'), completed_at: z.iso.datetime() }),
]);

/** `predictions/{id}/webhook.json`: how telling it has ended. */
export const webhookRecordSchema = webhookOutcomeSchema.extend({ status: z.enum(['delivered', 'failed']) });

export type Accepted = z.infer<typeof acceptedSchema>;
export type Prediction = z.infer<typeof predictionSchema>;
export type RequestRecord = z.infer<typeof requestRecordSchema>;
/** Of what is stored. */
export type StoredAnswer = Extract<ResultRecord, { status: 'succeeded' }>['answer'];
export type ResultRecord = z.infer<typeof resultRecordSchema>;
/** How a prediction ended, without its pictures. */
export type ResultEnd = Pick<ResultRecord, 'status' | 'completed_at'>;
export type WebhookRecord = z.infer<typeof webhookRecordSchema>;
/** A request whose seed is settled. */
export type SeededRequest = RequestRecord['request'];
