import * as z from 'zod';
import { generateRequestSchema } from '../request.js';

const { prompt, num_images, output_format } = generateRequestSchema.shape;

/** The sizes that OpenAI's models have. */
export const OPENAI_SIZES = [
  '256x256',
  '512x512',
  '1024x1024',
  '1536x1024',
  '1024x1536',
  '1792x1024',
  '1024x1792',
] as const;

/** Denoising steps for each name of a quality: all that this model can give for time. */
export const QUALITY_STEPS = { low: 1, standard: 1, auto: 1, medium: 2, high: 4, hd: 4 } as const;
const QUALITIES = Object.keys(QUALITY_STEPS) as (keyof typeof QUALITY_STEPS)[];

/** Less would leave none of 4 steps. */
const LEAST_STRENGTH = 0.25;
/** Longer than any name of a model. Characters. */
const MAX_NAME = 256;

function oneOf<const V extends readonly (string | number | boolean)[]>(values: V, why?: string) {
  const error = `must be ${values.join(' or ')}${why === undefined ? '' : `: ${why}`}`;
  return z.literal(values, { error }).nullish();
}

const size = `must be auto, ${OPENAI_SIZES.join(', ')} or the model's own`;
const strength = `must be a number from ${LEAST_STRENGTH} to 1`;
const compression = 'must be an integer from 0 to 100';
const partial = 'must be an integer from 0 to 3';

/** What both of OpenAI's requests have. Null says nothing. */
const common = {
  prompt,
  n: num_images.nullable().describe('How many pictures.'),
  size: z
    .string({ error: size })
    .regex(/^(auto|[1-9]\d{0,3}x[1-9]\d{0,3})$/, { error: size })
    // All that can be told without knowing the model.
    .meta({ enum: ['auto', ...OPENAI_SIZES] })
    .nullish()
    .describe(
      `\`auto\` is the model's own, which it draws in any case. \`${OPENAI_SIZES.join('`, `')}\`: its picture scaled to cover that, cut at the centre; \`warnings\` says so.`,
    ),
  response_format: oneOf(['b64_json', 'url']).describe(
    '`b64_json`: the picture. `url`: an address of it that needs no key and expires. Where nothing is said, what the named `model` has with OpenAI: `b64_json` with `gpt-image`; both with others, or without one.',
  ),
  output_format: output_format.nullable(),
  model: z
    .string()
    .max(MAX_NAME, { error: `must have at most ${MAX_NAME} characters` })
    .nullish()
    .describe('Any name: there is one model, and the answer says which.'),
  quality: oneOf(QUALITIES).describe(
    'Denoising steps: `medium` is 2, `high` and `hd` are 4, the others 1; with a picture to begin with at least 2.',
  ),
  background: oneOf(['auto', 'opaque'], 'no picture is transparent').describe(
    'Of no effect: no picture is transparent.',
  ),
  output_compression: z
    .int({ error: compression })
    .min(0, { error: compression })
    .max(100, { error: compression })
    .nullish()
    .describe('Of no effect: how far a picture is compressed cannot be chosen.'),
  stream: z
    .boolean({ error: 'must be true or false' })
    .nullish()
    .describe('`true`: the answer is `text/event-stream`, one event a picture, when it is done.'),
  partial_images: z
    .int({ error: partial })
    .min(0, { error: partial })
    .max(3, { error: partial })
    .nullish()
    .describe('Of no effect: a picture is done before a part of it could be shown.'),
  user: z.string({ error: 'must be a string' }).nullish().describe('Ignored.'),
};

/**
 * OpenAI's request for pictures, as far as this service can follow it. A test holds its fields against those of the
 * `openai` package. Source: OpenAI API, "Create image".
 */
export const openaiImageRequestSchema = z.strictObject({
  ...common,
  style: oneOf(['vivid', 'natural']).describe('Of no effect: a style is asked for in the prompt.'),
  moderation: oneOf(['auto', 'low']).describe('Of no effect: nothing is filtered.'),
});

/** OpenAI's request for changes of a picture, without the picture. Source: OpenAI API, "Create image edit". */
export const openaiEditRequestSchema = z.strictObject({
  ...common,
  input_fidelity: oneOf(['high', 'low']).describe('Of no effect: `strength` is for that.'),
  strength: z
    .number({ error: strength })
    .min(LEAST_STRENGTH, { error: strength })
    .max(1, { error: strength })
    .nullish()
    .describe("This service's own: how far the result may be from the picture. 0.5 where nothing is said."),
});

/** The same as it is sent: `multipart/form-data`. For OpenAPI: fields of a form are text, and a file is none of JSON's. */
export const openaiEditFormSchema = openaiEditRequestSchema.extend({
  image: z
    .file()
    .describe('PNG, JPEG or WebP, at most 3 MiB, to begin with; scaled and cut to the size of the model.'),
});

export type OpenaiImageRequest = z.infer<typeof openaiImageRequestSchema>;
export type OpenaiEditRequest = z.infer<typeof openaiEditRequestSchema>;
/** What both of its requests for pictures have. */
export type OpenaiWish = OpenaiImageRequest | OpenaiEditRequest;
