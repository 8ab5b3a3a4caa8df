import * as z from 'zod';
import { generateRequestSchema, OUTPUT_FORMATS } from './request.js';

const { prompt, num_images, output_format } = generateRequestSchema.shape;

/** OpenAI's request for pictures, as far as this service can follow it; null says nothing. Source: OpenAI API, "Create image". */
export const openaiImageRequestSchema = z.strictObject({
  prompt,
  n: num_images.nullable().describe('How many pictures.'),
  size: z.enum(['512x512', 'auto'], { error: 'must be 512x512 or auto' }).nullish(),
  response_format: z
    .literal('b64_json', { error: 'must be b64_json: pictures are not kept, so there is no URL of them' })
    .nullish(),
  output_format: output_format.nullable(),
  model: z.string().nullish().describe('Ignored: there is one model.'),
  user: z.string().optional().describe('Ignored.'),
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
