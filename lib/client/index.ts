// What `sd-turbo-client` is, and `sd-turbo-serverless/client`.
export type {
  CallOptions,
  Client,
  ClientProps,
  FollowOptions,
  GenerateOptions,
  GenerateProgress,
  GetOptions,
  LookOptions,
  Phase,
  SubmitOptions,
} from './client.js';
export { ClientError } from './client-error.js';
export { createClient } from './create-client.js';
export type {
  Decoder,
  GenerateInput,
  OutputFormat,
  PredictInput,
  ResponseFormat,
} from './generate-input.js';
export type { GeneratedImages, ImageBytes } from './generated-images.js';
export type {
  CanceledPrediction,
  FailedPrediction,
  Health,
  Prediction,
  PredictionList,
  PredictionSummary,
  Problem,
  QueuedPrediction,
  SucceededPrediction,
  WebhookEvent,
  WebhookOutcome,
} from './prediction.js';
export { type ReceivedHeaders, verifyWebhook, WebhookError } from './verify-webhook.js';
