import * as z from 'zod';
import { aboutKeys } from './model-about.js';

export const ENDPOINT_STATES = ['starting', 'downloading', 'loading', 'warming', 'ready', 'failed'] as const;

/** What the endpoint says of itself at `GET /ping`. Only `ready` takes work. */
export const endpointStatusSchema = z.strictObject({
  state: z.enum(ENDPOINT_STATES),
  /** Of the weights, on disk and checked. */
  bytes_done: z.int().min(0),
  bytes_total: z.int().min(0),
  provider: z.enum(['cpu', 'cuda']),
  /** Its name, once the manifest has been read. */
  model: z.string().nullable(),
  ...aboutKeys,
  /** Why it failed. */
  error: z.string().optional(),
  /** Seconds since the process began, by the phases that are over. */
  seconds: z.record(z.string(), z.number()),
});

export type EndpointStatus = z.infer<typeof endpointStatusSchema>;
export type EndpointState = EndpointStatus['state'];
