import * as z from 'zod';
import { aboutKeys } from './model-about.js';

export const HEALTH_STATES = ['asleep', 'waking', 'ready', 'failed'] as const;

/** What `GET /health` answers: whether a request would be drawn at once. */
export const healthSchema = z.strictObject({
  state: z
    .enum(HEALTH_STATES)
    .describe('`ready` draws at once; `asleep` costs nothing and has to be woken, which takes minutes.'),
  waking_for: z.number().min(0).optional().describe('While waking: for how long so far. Seconds.'),
  estimate: z
    .number()
    .min(0)
    .optional()
    .describe('While waking: how long it may still take, from recent wakes. Seconds.'),
  model: z.string().optional().describe('What the model is called, where the service knows it.'),
  ...aboutKeys,
  detail: z.string().optional().describe('Words for a person: a phase of the wake, or why it failed.'),
});

export type Health = z.infer<typeof healthSchema>;
export type HealthState = Health['state'];
