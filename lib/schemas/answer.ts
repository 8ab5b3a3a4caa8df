import * as z from 'zod';
import { pictureSizeSchema } from './picture-size.js';
import { DECODERS, MAX_IMAGES, OUTPUT_FORMATS } from './request.js';

const NO_BASE64 = /[^A-Za-z0-9+/=]/;

/** Searching for a letter that is wrong costs half a megabyte 0.3 ms; Zod's own pattern, anchored, takes ten times that. */
const picture = z
  .string()
  .min(1)
  .refine((text) => text.length % 4 === 0 && !NO_BASE64.test(text), 'is not base64')
  .meta({ format: 'base64', contentEncoding: 'base64' });

/** What every answer says of its pictures, wherever they are. */
const about = {
  seed: z.int().min(0).describe('Which was used: it draws the same pictures again.'),
  num_steps: z.int().min(1),
  output_format: z.enum(OUTPUT_FORMATS),
  decoder: z.enum(DECODERS),
  size: pictureSizeSchema.optional().describe('Of each picture. Pixels.'),
  tokens_cut: z.int().min(0).describe('How many tokens of the prompt were cut; 0 when it fitted.'),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      'What a person should know of the picture, such as words of the prompt that its model does not know.',
    ),
  model: z.string().describe("`owner/name@commit` of Hugging Face, or the model's own name."),
};

/** The answer to a request for pictures; `result` alone is what the Truss example's client reads. */
export const generateAnswerSchema = z.strictObject({
  result: picture.describe("The first picture, base64 without a data URL's prefix."),
  results: z.array(picture).optional().describe('Every picture, where more than one was asked for.'),
  ...about,
});

/** The same with `response_format: "url"`. */
export const linkedAnswerSchema = z.strictObject({
  urls: z
    .array(z.url())
    .min(1)
    .max(MAX_IMAGES)
    .describe('Where each picture is found by GET, without a key, until they expire.'),
  urls_expire_at: z.iso.datetime().describe('Until when at most; `GET /predictions/{id}` gives new ones.'),
  ...about,
});

/** The same as it is stored. */
export const keptAnswerSchema = z.strictObject({
  /** How many lie beside the record: see `pictureName`. */
  pictures: z.int().min(1).max(MAX_IMAGES),
  ...about,
});

export type LinkedAnswer = z.infer<typeof linkedAnswerSchema>;
export type KeptAnswer = z.infer<typeof keptAnswerSchema>;
export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;
