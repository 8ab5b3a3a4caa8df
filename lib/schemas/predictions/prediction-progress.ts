import * as z from 'zod';
import { healthSchema } from '../health.js';
import { predictionIdSchema } from '../prediction.js';

/**
 * - `queued`: it waits its turn
 * - `waking`: it waits for the endpoint, which is waking: `health` says how far it is
 * - `drawing`: somebody draws it, and it can no longer be canceled
 */
export const PROGRESS_PHASES = ['queued', 'waking', 'drawing'] as const;

/** The data of a `progress` event of `GET /predictions/{id}`; that of `ended` is the prediction itself. */
export const predictionProgressSchema = z.strictObject({
  id: predictionIdSchema,
  status: z.literal('queued'),
  phase: z.enum(PROGRESS_PHASES),
  health: healthSchema
    .optional()
    .describe('Of the endpoint, as `GET /health` has it; none where nobody can say.'),
});

export type PredictionProgress = z.infer<typeof predictionProgressSchema>;
