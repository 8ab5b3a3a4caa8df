import { z } from 'zod';

export const HEALTH_STATES = ['asleep', 'waking', 'ready', 'failed'] as const;

/** What `GET /health` answers: whether a request would be drawn at once. */
export const healthSchema = z.strictObject({
  state: z.enum(HEALTH_STATES),
  /** While waking: since when, and how long it may still take, from recent wakes. Seconds. */
  waking_for: z.number().min(0).optional(),
  estimate: z.number().min(0).optional(),
  /** Words for a person: a phase of the wake, or why it failed. */
  detail: z.string().optional(),
});

export type Health = z.infer<typeof healthSchema>;
export type HealthState = Health['state'];
