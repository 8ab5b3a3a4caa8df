import type OpenAI from 'openai';

/** What a call must bring. */
export interface Expected {
  /** Of what comes as base64, or from its address. @default 1 */
  readonly pictures?: number;
  /** Pixels. @default 512 x 512, the demo model's own */
  readonly size?: readonly [width: number, height: number];
  /** @default png */
  readonly format?: 'png' | 'jpeg' | 'webp';
  /** Which of both ways. @default both */
  readonly by?: 'url' | 'b64_json';
}

type Body = Omit<OpenAI.ImageGenerateParamsNonStreaming, 'prompt'>;

/** Calls as tutorials, notebooks and programs make them, and what comes of each. */
export const VARIANTS: readonly (readonly [name: string, body: Body, expected: Expected])[] = [
  ['a prompt alone', {}, {}],
  [
    'dall-e-2, as the first tutorials',
    { model: 'dall-e-2', n: 1, size: '1024x1024' },
    { size: [1024, 1024] },
  ],
  [
    'dall-e-3, as most tutorials',
    { model: 'dall-e-3', n: 1, size: '1024x1024', quality: 'standard' },
    { size: [1024, 1024] },
  ],
  [
    'dall-e-3, wide',
    { model: 'dall-e-3', size: '1792x1024', quality: 'hd', style: 'natural' },
    { size: [1792, 1024] },
  ],
  [
    'dall-e-3, tall, by address',
    { model: 'dall-e-3', size: '1024x1792', response_format: 'url' },
    { size: [1024, 1792], by: 'url' },
  ],
  [
    'by address',
    { model: 'dall-e-2', n: 2, size: '256x256', response_format: 'url' },
    { pictures: 2, size: [256, 256], by: 'url' },
  ],
  ['as base64', { model: 'dall-e-3', response_format: 'b64_json' }, { by: 'b64_json' }],
  ['gpt-image-1', { model: 'gpt-image-1' }, { by: 'b64_json' }],
  [
    'gpt-image-1 with everything',
    {
      model: 'gpt-image-1',
      background: 'opaque',
      moderation: 'low',
      output_compression: 50,
      output_format: 'jpeg',
      quality: 'high',
      size: '1536x1024',
      user: 'somebody',
    },
    { size: [1536, 1024], format: 'jpeg', by: 'b64_json' },
  ],
  [
    'gpt-image-1, tall, webp',
    { model: 'gpt-image-1', size: '1024x1536', output_format: 'webp', quality: 'low' },
    { size: [1024, 1536], format: 'webp', by: 'b64_json' },
  ],
  [
    'all automatic',
    { model: 'gpt-image-1', size: 'auto', quality: 'auto', background: 'auto' },
    { by: 'b64_json' },
  ],
  ["the model's own name and size", { model: 'sd-turbo-demo', size: '512x512' }, {}],
  [
    'four',
    { n: 4, size: '256x256', response_format: 'b64_json' },
    { pictures: 4, size: [256, 256], by: 'b64_json' },
  ],
  [
    'nothing but nulls',
    { model: null, n: null, size: null, response_format: null, quality: null, style: null, background: null },
    {},
  ],
];

/** Calls that cannot be fulfilled, and the field that is to blame. */
export const REFUSED: readonly (readonly [name: string, body: Record<string, unknown>, param: string])[] = [
  ['too many', { n: 10 }, 'n'],
  ['a size of nobody', { size: '123x456' }, 'size'],
  ['a transparent background', { background: 'transparent' }, 'background'],
  ['a field of others', { negative_prompt: 'x' }, 'negative_prompt'],
];
