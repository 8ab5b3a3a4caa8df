import type { EndedPrediction } from '../schemas/webhook.js';

export interface WebhookCall {
  readonly url: string;
  /** Of the prediction: the receiver tells repetitions by it. */
  readonly id: string;
  readonly body: EndedPrediction;
}

/** `error` is shown to whoever asks for the prediction: it says nothing of the network behind a name. */
export type WebhookOutcome =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly retryable: boolean; readonly error: string };

/** Makes one attempt. Never throws. */
export type SendWebhook = (call: WebhookCall) => Promise<WebhookOutcome>;
