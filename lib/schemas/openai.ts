import * as z from 'zod';
import { generateRequestSchema, OUTPUT_FORMATS } from './request.js';

const { prompt, num_images, output_format } = generateRequestSchema.shape;

/**
 * A field that asks for nothing as long as it has one of these values, those that OpenAI's models have by default, or that
 * every picture here fulfils; null says nothing.
 *
 * @param why there is nothing else
 */
function only<const V extends string | number | boolean>(values: readonly [V, ...V[]], why: string) {
  const error = `must be ${values.join(' or ')}: ${why}`;
  return z.literal(values, { error }).nullish().describe(`Of no effect: ${why}.`);
}

const ignored = z.string({ error: 'must be a string' }).nullish();

/**
 * OpenAI's request for pictures, as far as this service can follow it. A test holds its fields against those of the
 * `openai` package. Source: OpenAI API, "Create image".
 */
export const openaiImageRequestSchema = z.strictObject({
  prompt,
  n: num_images.nullable().describe('How many pictures.'),
  size: z.enum(['512x512', 'auto'], { error: 'must be 512x512 or auto' }).nullish(),
  response_format: z
    .literal('b64_json', { error: 'must be b64_json: pictures are not kept, so there is no URL of them' })
    .nullish(),
  output_format: output_format.nullable(),
  model: ignored.describe('Ignored: there is one model.'),
  user: ignored.describe('Ignored.'),
  // gpt-image's default, and dall-e's.
  quality: only(['auto', 'standard'], 'there is one quality'),
  style: only(['vivid'], 'a style is asked for in the prompt'),
  background: only(['auto', 'opaque'], 'no picture is transparent'),
  moderation: only(['auto', 'low'], 'nothing is filtered'),
  output_compression: only([100], 'how far a picture is compressed cannot be chosen'),
  stream: only([false], 'pictures come when they are done'),
  partial_images: only([0], 'pictures come when they are done'),
});

export const openaiImageAnswerSchema = z.strictObject({
  created: z.int().describe('Seconds since 1970.'),
  data: z.array(z.strictObject({ b64_json: z.base64() })),
  output_format: z.enum(OUTPUT_FORMATS),
  size: z.literal('512x512'),
});

export const openaiErrorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.enum(['invalid_request_error', 'authentication_error', 'rate_limit_error', 'server_error']),
    param: z.string().nullable().describe('The first field that is wrong.'),
    code: z.string().nullable(),
  }),
});

export type OpenaiImageAnswer = z.infer<typeof openaiImageAnswerSchema>;
export type OpenaiError = z.infer<typeof openaiErrorSchema>;
