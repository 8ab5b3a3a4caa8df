import type { GenerateAnswer, LinkedAnswer } from '../../../lib/schemas/answer.js';
import type { Health } from '../../../lib/schemas/health.js';
import type { OpenaiImageAnswer, OpenaiModel } from '../../../lib/schemas/openai/image-answer.js';
import type { Accepted, Prediction } from '../../../lib/schemas/prediction.js';
import type { PredictionList } from '../../../lib/schemas/predictions/prediction-list.js';
import type { PredictionProgress } from '../../../lib/schemas/predictions/prediction-progress.js';
import type { EndedPrediction, WebhookEvent } from '../../../lib/schemas/webhook.js';
import { problemExample } from './problem-responses.js';

/** A PNG of one grey pixel: real bytes, short enough to be read. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mPoAAAAigCJUps7QwAAAABJRU5ErkJggg==';

export const EXAMPLE_ID = 'mfrggzdfmztwq2lknnwg23tpoaytemzu';

const STATUS_URL = `https://example.com/prod/predictions/${EXAMPLE_ID}`;
const ACCEPTED_AT = '2026-11-23T09:30:00.000Z';
const ENDED_AT = '2026-11-23T09:34:12.345Z';

export const ANSWER: GenerateAnswer = {
  result: PICTURE,
  seed: 42,
  num_steps: 1,
  output_format: 'png',
  decoder: 'vae',
  size: { width: 512, height: 512 },
  tokens_cut: 0,
  model: 'stabilityai/sd-turbo@b261bac6fd2cf515557d5d0707481eafa0485ec2',
};

export const SEVERAL: GenerateAnswer = { ...ANSWER, results: [PICTURE, PICTURE] };

const { result: _, ...ABOUT } = ANSWER;

const PICTURE_URL =
  'https://example.com/predictions/mfrggzdfmztwq2lknnwg23tpoaytemzu/0.png?expires=3600&signature=0f1e';

export const LINKED: LinkedAnswer = {
  urls: [PICTURE_URL],
  urls_expire_at: '2026-11-23T10:34:12.000Z',
  ...ABOUT,
};

export const ACCEPTED: Accepted = { id: EXAMPLE_ID, status: 'queued', status_url: STATUS_URL };

export const QUEUED: Prediction = { ...ACCEPTED, status: 'queued', created_at: ACCEPTED_AT };

export const SUCCEEDED: Extract<EndedPrediction, { status: 'succeeded'; result: string }> = {
  id: EXAMPLE_ID,
  created_at: ACCEPTED_AT,
  status: 'succeeded',
  completed_at: ENDED_AT,
  ...ANSWER,
  timings: { queue: 0.4, load: 0, text_encoder: 4.1, unet: 48, decoder: 61.2, encode: 14.8 },
};

const { result: __, ...SUCCESS } = SUCCEEDED;

export const SUCCEEDED_LINKED: Prediction = { ...SUCCESS, ...LINKED };

export const FAILED: Extract<EndedPrediction, { status: 'failed' }> = {
  id: EXAMPLE_ID,
  created_at: ACCEPTED_AT,
  status: 'failed',
  completed_at: ENDED_AT,
  error: problemExample(502),
};

export const CANCELED: Extract<EndedPrediction, { status: 'canceled' }> = {
  id: EXAMPLE_ID,
  created_at: ACCEPTED_AT,
  status: 'canceled',
  completed_at: ENDED_AT,
};

export const LISTED: PredictionList = {
  predictions: [
    {
      id: EXAMPLE_ID,
      created_at: ACCEPTED_AT,
      status: 'succeeded',
      completed_at: ENDED_AT,
      status_url: STATUS_URL,
      webhook: { status: 'delivered', attempts: 1 },
    },
  ],
  next_cursor: `8204573799999-${EXAMPLE_ID}`,
};

export const TOLD: WebhookEvent = { type: 'prediction.succeeded', timestamp: ENDED_AT, data: SUCCEEDED };

export const TOLD_OF_FAILURE: WebhookEvent = {
  type: 'prediction.failed',
  timestamp: ENDED_AT,
  data: FAILED,
};

export const TOLD_OF_CANCEL: WebhookEvent = {
  type: 'prediction.canceled',
  timestamp: ENDED_AT,
  data: CANCELED,
};

export const READY: Health = { state: 'ready' };
export const ASLEEP: Health = { state: 'asleep' };
export const WAKING: Health = { state: 'waking', waking_for: 71.4, estimate: 180.2, detail: 'loading' };

export const PROGRESS: PredictionProgress = {
  id: EXAMPLE_ID,
  status: 'queued',
  phase: 'waking',
  health: WAKING,
};

export const OPENAI_ANSWER: OpenaiImageAnswer = {
  created: 1_795_426_200,
  data: [{ b64_json: PICTURE }],
  model: ANSWER.model,
  background: 'opaque',
  output_format: 'png',
  quality: 'low',
  size: '512x512',
};

export const OPENAI_LINKED: OpenaiImageAnswer = { ...OPENAI_ANSWER, data: [{ url: PICTURE_URL }] };

export const OPENAI_MODEL: OpenaiModel = {
  id: 'sd-turbo',
  object: 'model',
  created: 0,
  owned_by: 'stabilityai',
};
