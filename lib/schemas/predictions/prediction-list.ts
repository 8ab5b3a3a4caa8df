import * as z from 'zod';
import { PREDICTION_STATUSES, predictionFacts } from '../prediction.js';

/** Most predictions in one answer, and how many there are where nothing is said. */
export const MAX_LIMIT = 100;
export const DEFAULT_LIMIT = 20;

/** What a page goes on behind: the name of an entry in the list of an owner's predictions: `lib/predictions/records/owner-index.ts`. */
export const ENTRY_NAME = /^(\d{13})-([a-z2-7]{32})(w?)$/;

const limitError = { error: `must be an integer from 1 to ${MAX_LIMIT}` };

/** The query of `GET /predictions`. */
export const listQuerySchema = z.object({
  limit: z.coerce
    .number(limitError)
    .int(limitError)
    .min(1, limitError)
    .max(MAX_LIMIT, limitError)
    .default(DEFAULT_LIMIT),
  /** As the answer before gave it. */
  cursor: z.string().regex(ENTRY_NAME, 'must be the next_cursor of an answer').optional(),
});

/** A prediction without its pictures. */
export const predictionSummarySchema = z.strictObject({
  ...predictionFacts,
  status: z.enum(PREDICTION_STATUSES),
  completed_at: z.iso.datetime().optional().describe('Once it has ended.'),
  status_url: z.string().describe('Where the prediction is found, with its pictures.'),
});

/** What `GET /predictions` answers. */
export const predictionListSchema = z.strictObject({
  predictions: z.array(predictionSummarySchema).describe('Newest first.'),
  next_cursor: z
    .string()
    .optional()
    .describe('Where there are more: the `cursor` that goes on behind the last one.'),
});

export type PredictionSummary = z.infer<typeof predictionSummarySchema>;
export type PredictionList = z.infer<typeof predictionListSchema>;
