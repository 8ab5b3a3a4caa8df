import type { Decoder } from './generate-input.js';
import type { GeneratedImages } from './generated-images.js';

/** An error in the service's own words. Source: RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  /** Of HTTP. */
  readonly status: number;
  /** What is wrong, in words. */
  readonly detail: string;
  /** Which fields of the input are wrong, by the names that they have here, and why. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  /** Also in the service's log. */
  readonly requestId: string;
}

/** How telling a webhook goes. */
export interface WebhookOutcome {
  readonly status: 'pending' | 'delivered' | 'failed';
  /** Requests that were made. */
  readonly attempts: number;
  /** Why the last one failed. */
  readonly error?: string;
}

interface PredictionBase {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Comes with a `webhook`. */
  readonly webhook?: WebhookOutcome;
}

export interface QueuedPrediction extends PredictionBase {
  readonly status: 'queued';
}

export interface SucceededPrediction extends PredictionBase, GeneratedImages {
  readonly status: 'succeeded';
  /** ISO 8601. */
  readonly completedAt: string;
}

export interface FailedPrediction extends PredictionBase {
  readonly status: 'failed';
  /** ISO 8601. */
  readonly completedAt: string;
  readonly error: Problem;
}

export interface CanceledPrediction extends PredictionBase {
  readonly status: 'canceled';
  /** ISO 8601. */
  readonly completedAt: string;
}

/** What became of a request that the service keeps. */
export type Prediction = QueuedPrediction | SucceededPrediction | FailedPrediction | CanceledPrediction;

/** A prediction without its pictures. */
export interface PredictionSummary extends PredictionBase {
  readonly status: Prediction['status'];
  /** ISO 8601, once it has ended. */
  readonly completedAt?: string;
}

export interface PredictionList {
  /** Newest first. */
  readonly predictions: readonly PredictionSummary[];
  /** Where there are more: `list({ cursor })` goes on behind the last one. */
  readonly nextCursor?: string;
}

/** What a webhook is sent. */
export type WebhookEvent =
  | {
      readonly type: 'prediction.succeeded';
      /** When the prediction ended. ISO 8601. */
      readonly timestamp: string;
      readonly data: SucceededPrediction;
    }
  | {
      readonly type: 'prediction.failed';
      /** When the prediction ended. ISO 8601. */
      readonly timestamp: string;
      readonly data: FailedPrediction;
    }
  | {
      readonly type: 'prediction.canceled';
      /** When the prediction ended. ISO 8601. */
      readonly timestamp: string;
      readonly data: CanceledPrediction;
    };

/** Whether a request would be drawn at once. */
export interface Health {
  /** `ready` draws at once; `asleep` costs nothing and has to be woken, which takes minutes. */
  readonly state: 'asleep' | 'waking' | 'ready' | 'failed';
  /** While waking: for how long so far. Seconds. */
  readonly wakingFor?: number;
  /** While waking: how long it may still take, from recent wakes. Seconds. */
  readonly estimate?: number;
  /** What the model is called, where the service knows it. */
  readonly model?: string;
  /** All that the model can draw, by group, where that is little. */
  readonly draws?: Readonly<Record<string, readonly string[]>>;
  /** Which values of `decoder` it takes. */
  readonly decoders?: readonly Decoder[];
  /** Whether it takes an `image` to begin with. */
  readonly encoder?: boolean;
  /** Of its pictures. Pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Words for a person: a phase of the wake, or why it failed. */
  readonly detail?: string;
}
