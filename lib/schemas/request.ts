import * as z from 'zod';
import { MAX_IMAGE_TEXT, readImageText, TOO_LONG } from './image-text.js';
import { wantedSizeSchema } from './picture-size.js';

export { MAX_IMAGE_BYTES } from './image-text.js';

/** Longest prompt in characters (UTF-16 units): some 25 times what 75 tokens hold. */
const MAX_PROMPT = 2_000;

/** Longest webhook URL: what browsers and proxies commonly take. */
const MAX_WEBHOOK = 2_000;

export const OUTPUT_FORMATS = ['png', 'jpeg', 'webp'] as const;
export const DECODERS = ['vae', 'taesd'] as const;
/** Most pictures of one request. */
export const MAX_IMAGES = 4;
export const RESPONSE_FORMATS = ['base64', 'url'] as const;

function integer(min: number, max: number) {
  const error = `must be an integer from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function oneOf<const T extends readonly string[]>(names: T) {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` });
}

/** Of a value that is missing, or of another type. */
export function required(type: string) {
  return ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is required' : type);
}

const STRENGTH = 'must be a number above 0 and at most 1';

/** What the pipeline can take; over 75 tokens it is truncated. An empty prompt is legal in diffusers too. */
export const promptSchema = z
  .string({ error: required('must be a string') })
  .trim()
  .max(MAX_PROMPT, { error: `must have at most ${MAX_PROMPT} characters` })
  // A lone surrogate is no character: it has no bytes that the tokenizer could look at.
  .refine((prompt) => !/\p{Surrogate}/u.test(prompt), { error: 'must be well-formed Unicode' });

/** Read, it is plain base64, however it was written. */
const imageSchema = z
  .string({ error: 'must be a string' })
  .max(MAX_IMAGE_TEXT, { error: TOO_LONG, abort: true })
  .check((context) => {
    const read = readImageText(context.value);
    if ('base64' in read) context.value = read.base64;
    else context.issues.push({ code: 'custom', input: context.value, message: read.wrong });
  });

/**
 * A request for pictures; the same rules for the API and the command line. What `meta` says is for OpenAPI: there
 * `pattern` stands for rules that JSON Schema cannot tell.
 */
export const generateRequestSchema = z.strictObject({
  prompt: promptSchema.min(1, { error: 'must not be empty' }).meta({
    description: 'What to draw, in English. What goes beyond 75 tokens is cut, and the answer says so.',
    examples: ['A lighthouse on a beach in a storm'],
    pattern: '\\S',
  }),
  num_steps: integer(1, 4).default(1).meta({ description: 'Denoising steps: more take longer.' }),
  seed: integer(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({
      description:
        'The same seed gives the same picture: the same bytes from a CPU; from a GPU, whose sums have no fixed order, they may differ by a level or so. Random when left out, and returned.',
      examples: [42],
    }),
  num_images: integer(1, MAX_IMAGES)
    .default(1)
    .meta({ description: 'More than one are in `results`; their seed is that of the batch.' }),
  output_format: oneOf(OUTPUT_FORMATS).default('png').meta({ description: 'Of the pictures.' }),
  decoder: oneOf(DECODERS)
    .default('vae')
    .meta({ description: '`taesd` is faster and less exact, where the model has it.' }),
  image: imageSchema.optional().meta({
    description:
      'What to begin with instead of noise alone: a PNG, JPEG or WebP picture in base64, or as a data URL. Line ends ' +
      'and the URL-safe alphabet do no harm.',
    pattern: '^\\s*([Dd][Aa][Tt][Aa]:[^,]*,)?[A-Za-z0-9+/_=%\\s-]+$',
  }),
  strength: z
    .number({ error: STRENGTH })
    .gt(0, { error: STRENGTH })
    .max(1, { error: STRENGTH })
    .optional()
    .meta({
      description:
        'How far the result may be from `image`: the part of the steps that is done, at least one of them. 0.5 of 2 steps where nothing is said.',
      examples: [0.5],
    }),
});

/** Where the finished prediction is sent. Which addresses its host may have is checked when that is known. */
const webhookSchema = z.url({ protocol: /^https$/, error: 'must be an https URL' }).max(MAX_WEBHOOK, {
  error: `must have at most ${MAX_WEBHOOK} characters`,
});

/** What the API takes: a request for pictures, and whom to tell. */
export const predictRequestSchema = generateRequestSchema
  .extend({
    webhook: webhookSchema.optional().meta({
      description:
        'Where the finished prediction is sent by POST, signed as Standard Webhooks has it. Answered with 202, except where it has ended already under its `Idempotency-Key`.',
      examples: ['https://example.com/pictures'],
      pattern: '^https://',
    }),
    response_format: oneOf(RESPONSE_FORMATS).optional().meta({
      description:
        'How the pictures come: `base64` in `result`, or `url`: addresses in `urls` that need no key and expire, also for `GET /predictions/{id}` and in the webhook.',
      default: 'base64',
    }),
  })
  // Of `imageIssues`, what JSON Schema can tell.
  .meta({ dependentRequired: { strength: ['image'] } });

/** What reaches whoever draws: a request for pictures, and what routes other than `POST /predict` may ask for besides. */
export const drawRequestSchema = generateRequestSchema.extend({
  /** To which finished pictures are brought: see `resizeImage`. @default the model's own */
  size: wantedSizeSchema.optional(),
});

export type DrawRequest = z.infer<typeof drawRequestSchema>;
export type GenerateRequest = z.infer<typeof generateRequestSchema>;
export type PredictRequest = z.infer<typeof predictRequestSchema>;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];
export type Decoder = (typeof DECODERS)[number];
