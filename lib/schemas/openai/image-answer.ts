import * as z from 'zod';
import { openaiErrorBodySchema } from '../problem.js';
import { OUTPUT_FORMATS } from '../request.js';

/** OpenAI's answer with pictures, and what this service says besides. Source: OpenAI API, "The image generation response". */
export const openaiImageAnswerSchema = z.strictObject({
  created: z.int().describe('Seconds since 1970.'),
  data: z.array(
    z.strictObject({
      b64_json: z.base64().optional(),
      url: z.url().optional().describe('Needs no key, and lasts an hour at most.'),
    }),
  ),
  model: z.string().describe("What has drawn: `owner/name@commit` of Hugging Face, or the model's own name."),
  background: z.literal('opaque'),
  output_format: z.enum(OUTPUT_FORMATS),
  quality: z.enum(['low', 'medium', 'high']).describe('By the steps that were done.'),
  size: z.string().optional().describe('Of each picture, such as `512x512`.'),
  warnings: z.array(z.string()).optional().describe('What a person should know of the pictures.'),
});

/** A model of the list at `/v1/models`. */
export const openaiModelSchema = z.strictObject({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('0: a model does not say.'),
  owned_by: z.string(),
});

export const openaiModelsSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(openaiModelSchema),
});

export const openaiErrorSchema = z.strictObject({ error: openaiErrorBodySchema });

export type OpenaiImageAnswer = z.infer<typeof openaiImageAnswerSchema>;
export type OpenaiModel = z.infer<typeof openaiModelSchema>;
export type OpenaiError = z.infer<typeof openaiErrorSchema>;
