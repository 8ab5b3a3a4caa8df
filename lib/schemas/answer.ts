import * as z from 'zod';
import { DECODERS, OUTPUT_FORMATS } from './request.js';

const NO_BASE64 = /[^A-Za-z0-9+/=]/;

/** Searching for a letter that is wrong costs half a megabyte 0.3 ms; Zod's own pattern, anchored, takes ten times that. */
const picture = z
  .string()
  .min(1)
  .refine((text) => text.length % 4 === 0 && !NO_BASE64.test(text), 'is not base64')
  .meta({ format: 'base64', contentEncoding: 'base64' });

/** The answer to a request for pictures; `result` alone is what the Truss example's client reads. */
export const generateAnswerSchema = z.strictObject({
  result: picture.describe("The first picture, base64 without a data URL's prefix."),
  results: z.array(picture).optional().describe('Every picture, where more than one was asked for.'),
  seed: z.int().min(0).describe('Which was used: it draws the same pictures again.'),
  num_steps: z.int().min(1),
  output_format: z.enum(OUTPUT_FORMATS),
  decoder: z.enum(DECODERS),
  tokens_cut: z.int().min(0).describe('How many tokens of the prompt were cut; 0 when it fitted.'),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      'What a person should know of the picture, such as words of the prompt that its model does not know.',
    ),
  model: z.string().describe("`owner/name@commit` of Hugging Face, or the model's own name."),
});

export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;
