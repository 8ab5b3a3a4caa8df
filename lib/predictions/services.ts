import type { ResultEnd } from '../schemas/prediction.js';
import type { Problem } from '../schemas/problem.js';
import type { PulledEndpoint, PushedEndpoint } from './endpoint.js';
import type { MessageQueue } from './message-queue.js';
import type { PictureLinks } from './picture-links.js';
import type { PredictionStore } from './records/prediction-store.js';
import type { SendWebhook } from './send-webhook.js';
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
  readonly store: PredictionStore;
  /** Of pictures in the store. */
  readonly links: PictureLinks;
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

/**
 * What `processMessage` needs besides. A worker has what its queue's messages ask for; a message of another kind, left by
 * another backend or sent to the wrong queue, is sent on to where it belongs.
 *
 * - on SageMaker and at home, `endpoint` and `sendWebhook`: one queue has everything
 * - of workers that pull, `endpoint` alone: the model in the worker's own process. It throws `EndpointError`s, is there for as
 *   long as messages are received, and its `wake` has nothing to do. When the model is ready, `noteReady(services, true)`.
 * - of the function beside them, `pulled` and `sendWebhook`
 */
export interface WorkerServices extends Services {
  /** Draws what `predict` messages name. @default it is drawn elsewhere */
  readonly endpoint?: PushedEndpoint;
  /** What `watch` messages look after. @default nobody pulls here: what was watched is drawn */
  readonly pulled?: PulledWork;
  /** @default webhooks are told elsewhere */
  readonly sendWebhook?: SendWebhook;
}

/** Workers that pull, and the queue that they pull from. */
export interface PulledWork {
  readonly endpoint: PulledEndpoint;
  /** Messages that wait to be drawn, are being drawn or come later; about so many. */
  readonly backlog: () => Promise<number>;
}

export type PredictionEvent =
  | { readonly kind: 'trouble'; readonly what: string; readonly error: unknown }
  | { readonly kind: 'woken' }
  | { readonly kind: 'bad-numbers' }
  | { readonly kind: 'drawn'; readonly timings: Readonly<Record<string, number>> }
  | { readonly kind: 'ended'; readonly status: ResultEnd['status'] }
  | { readonly kind: 'webhook-failed'; readonly id: string; readonly error: string }
  | { readonly kind: 'cold-start'; readonly seconds: number };
