import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { type Prediction, predictionSchema } from '../../lib/schemas/prediction.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import type { ScriptedAnswer } from './scripted-service.js';

// What a scripted service answers with: everything goes through the schemas of the real one.

export const ID = 'a'.repeat(32);
export const DATE = '2026-11-23T12:00:00.000Z';
export const PICTURE = Uint8Array.from([137, 80, 78, 71, 0, 255]);
export const ANSWER = generateAnswerSchema.parse({
  result: Buffer.from(PICTURE).toString('base64'),
  seed: 7,
  num_steps: 1,
  output_format: 'png',
  decoder: 'vae',
  tokens_cut: 2,
  model: 'demo',
});
export const PROBLEM = problemSchema.parse({
  type: 'about:blank',
  title: 'Bad Gateway',
  status: 502,
  detail: 'the model failed',
  request_id: 'r',
});
export const HEALTH = { state: 'waking', waking_for: 3, estimate: 9 };

export const prediction = (rest: object): ScriptedAnswer => ({
  body: predictionSchema.parse({ id: ID, created_at: DATE, ...rest }) satisfies Prediction,
});
export const accepted: ScriptedAnswer = { status: 202, body: { id: ID, status: 'queued', status_url: 'x' } };
export const answered: ScriptedAnswer = {
  body: ANSWER,
  headers: { 'server-timing': 'unet;dur=12.5, total;dur=20', 'x-request-id': 'abc' },
};
export const queued = prediction({ status: 'queued', status_url: 'x' });
export const succeeded = prediction({ status: 'succeeded', completed_at: DATE, ...ANSWER, timings: {} });
export const failed = prediction({ status: 'failed', completed_at: DATE, error: PROBLEM });

/** What a client makes of `ANSWER`. */
export const IMAGES = {
  images: [PICTURE],
  format: 'png',
  contentType: 'image/png',
  seed: 7,
  steps: 1,
  decoder: 'vae',
  tokensCut: 2,
  model: 'demo',
};
