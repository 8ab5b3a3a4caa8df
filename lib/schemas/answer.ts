import { z } from 'zod';
import { DECODERS, OUTPUT_FORMATS } from './request.js';

/** The answer to a request for pictures; `result` alone is what the Truss example's client reads. */
export const generateAnswerSchema = z.strictObject({
  /** The first picture, base64 without a data URL's prefix. */
  result: z.base64(),
  /** Every picture, where more than one was asked for. */
  results: z.array(z.base64()).optional(),
  seed: z.int().min(0),
  num_steps: z.int().min(1),
  output_format: z.enum(OUTPUT_FORMATS),
  decoder: z.enum(DECODERS),
  /** How many tokens of the prompt were cut; 0 when it fitted. */
  tokens_cut: z.int().min(0),
  /** `repo@commit`, or the name of a directory. */
  model: z.string(),
});

export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;
