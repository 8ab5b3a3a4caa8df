import type { PredictInput } from './generate-input.js';
import type { GeneratedImages } from './generated-images.js';
import type { CanceledPrediction, Health, Prediction, PredictionList } from './prediction.js';

export interface ClientProps {
  /** Where the service is, with the stage where it has one: `https://…/prod`; in a page also `/path` of its own origin. */
  readonly url: string;
  /** `null` where none is sent: a proxy before the service has it. */
  readonly apiKey: string | null;
  /** @default the platform's own */
  readonly fetch?: typeof fetch;
}

export interface LookOptions {
  /** Gives up; what the service has accepted is drawn all the same. @default never */
  readonly signal?: AbortSignal | undefined;
}

export interface CallOptions extends LookOptions {
  /** How long to go on before giving up. Milliseconds. @default 15 minutes, longer than a wake takes */
  readonly timeoutMs?: number | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** The same key never draws twice, also across calls. @default a new one for each call */
  readonly idempotencyKey?: string | undefined;
}

export interface GetOptions extends LookOptions {
  /** How long the service may wait for the end of the prediction, 0 to 25. Seconds. @default 0 */
  readonly waitSeconds?: number | undefined;
}

export interface ListOptions extends LookOptions {
  /** Most predictions, 1 to 100. @default the service's: 20 */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. @default the newest are first */
  readonly cursor?: string | undefined;
}

export interface FollowOptions extends CallOptions {
  /** Told whenever something has changed, and each time that a long poll ends. @default nobody is told */
  readonly onProgress?: ((progress: GenerateProgress) => void) | undefined;
}

export interface GenerateOptions extends SubmitOptions, FollowOptions {}

/**
 * - `sending`: the service has not answered yet
 * - `queued`: it keeps the request, which is lost no more
 * - `waking`: so it does, and the endpoint is waking: `health` has an estimate
 * - `drawing`: so it does, and the endpoint is ready
 * - `retrying`: a pause before it is asked again, `reason` says why
 */
export type Phase = 'sending' | 'queued' | 'waking' | 'drawing' | 'retrying';

export interface GenerateProgress {
  readonly phase: Phase;
  /** Since the call began. */
  readonly seconds: number;
  /** Of the prediction, once the service keeps the request: `follow(id)` finds it again. */
  readonly id?: string;
  /** Comes with `retrying`. */
  readonly reason?: string;
  /** Of the endpoint, in its own words, while the service keeps the request. */
  readonly health?: Health;
}

/**
 * Every method rejects with a `ClientError`, or with the reason of a signal that is aborted. `generate`, `submit` and
 * `follow` ask again after failures that pass; the others ask once.
 */
export interface Client {
  /** Draws, however long the endpoint takes to wake, and never twice. */
  generate(input: PredictInput, options?: GenerateOptions): Promise<GeneratedImages>;
  /** Has it drawn later: when this is answered, the request is stored and will be drawn. */
  submit(input: PredictInput, options?: SubmitOptions): Promise<{ readonly id: string }>;
  /** What has become of a prediction. */
  get(id: string, options?: GetOptions): Promise<Prediction>;
  /** What this key has asked for and the service keeps, without pictures. */
  list(options?: ListOptions): Promise<PredictionList>;
  /** Has a prediction not drawn. Rejects with status 409 where it is being drawn, or has ended. */
  cancel(id: string, options?: LookOptions): Promise<CanceledPrediction>;
  /** Waits for the pictures of a prediction, in this program or in a later one. */
  follow(id: string, options?: FollowOptions): Promise<GeneratedImages>;
  /** The endpoint's state. */
  health(options?: LookOptions): Promise<Health>;
  /** Wakes the endpoint, so that a later call finds it warm. */
  warmUp(options?: LookOptions): Promise<Health>;
}
