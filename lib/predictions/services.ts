import type { Problem } from '../schemas/problem.js';
import type { Endpoint } from './endpoint.js';
import type { MessageQueue } from './message-queue.js';
import type { PredictionStore } from './records/prediction-store.js';
import type { Waker } from './wake/waker.js';

/** Time, chance and patience, passed in so that tests have them in hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves, never rejects, after `ms` or when `signal` is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Aborted after `ms`. */
  readonly timeout: (ms: number) => AbortSignal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** What predictions are made of: in AWS or at home. */
export interface Services {
  readonly endpoint: Endpoint;
  readonly store: PredictionStore;
  readonly queue: MessageQueue;
  readonly waker: Waker;
  readonly clock: Clock;
  /** How long results are kept. Milliseconds. */
  readonly retentionMs: number;
  /** What a caller may know of an error: statuses are the edge's business. */
  readonly toProblem: (error: unknown, requestId: string) => Problem;
  /** Told of what went wrong beside the work, and of how long wakes took. No prompt is in it. */
  readonly onEvent: (event: PredictionEvent) => void;
}

export type PredictionEvent =
  | { readonly kind: 'trouble'; readonly what: string; readonly error: unknown }
  | { readonly kind: 'woken' }
  | { readonly kind: 'bad-numbers' }
  | { readonly kind: 'drawn'; readonly timings: Readonly<Record<string, number>> }
  | { readonly kind: 'ended'; readonly status: 'succeeded' | 'failed' }
  | { readonly kind: 'webhook-failed'; readonly id: string; readonly error: string }
  | { readonly kind: 'cold-start'; readonly seconds: number };
