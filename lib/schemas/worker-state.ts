import * as z from 'zod';
import { aboutKeys } from './model-about.js';

export const WORKER_PHASES = [
  'starting',
  'downloading',
  'loading',
  'warming',
  'ready',
  'stopping',
  'failed',
] as const;

/** What a worker says of itself, in one object beside the results: `worker.json`. Only in `ready` it takes messages. */
export const workerStateSchema = z.strictObject({
  /** Who: `WORKER_NAME`, on EC2 an instance's id. */
  worker: z.string().min(1).max(200),
  phase: z.enum(WORKER_PHASES),
  /** Written anew every 15 s, also while it draws: whose state is older is gone. */
  updated_at: z.iso.datetime(),
  /** When its process began. */
  started_at: z.iso.datetime(),
  /** When its machine came up, where the worker has been told. */
  booted_at: z.iso.datetime().optional(),
  /** Of the weights, on disk and checked. */
  bytes_done: z.int().min(0),
  bytes_total: z.int().min(0),
  /** Seconds since the process began, by the phases that are over. */
  seconds: z.record(z.string(), z.number()),
  /** The model's name, once its manifest has been read. */
  model: z.string().nullable(),
  ...aboutKeys,
  /** Why it has failed. */
  error: z.string().max(2000).optional(),
});

export type WorkerState = z.infer<typeof workerStateSchema>;
export type WorkerPhase = WorkerState['phase'];

/** Where it lies in the bucket of the results. */
export const WORKER_STATE_KEY = 'worker.json';

/** A state that was written longer ago is nobody's any more. */
export const WORKER_FRESH_MS = 60_000;
