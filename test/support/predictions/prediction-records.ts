import { newPredictionId } from '../../../lib/predictions/records/prediction-id.js';
import type { RequestRecord, ResultRecord } from '../../../lib/schemas/prediction.js';

/** A request as it is stored, with an id of its own. */
export function requestRecord(fields: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: newPredictionId(),
    caller: 'someone',
    fingerprint: 'f',
    created_at: '2026-11-23T12:00:00.000Z',
    request_id: 'r',
    request: {
      prompt: 'a tree',
      num_steps: 1,
      seed: 1,
      num_images: 1,
      output_format: 'png',
      decoder: 'vae',
    },
    ...fields,
  };
}

/** @param bytes length of the picture before base64 */
export function resultRecord(seed = 1, bytes = 3): ResultRecord {
  const result = Buffer.alloc(bytes, seed).toString('base64');
  const model = 'model';
  const rest = { num_steps: 1, output_format: 'png', decoder: 'vae', tokens_cut: 0 } as const;
  return {
    status: 'succeeded',
    completed_at: '2026-11-23T12:00:01.000Z',
    answer: { result, seed, model, ...rest },
    timings: { unet: 12 },
  };
}
