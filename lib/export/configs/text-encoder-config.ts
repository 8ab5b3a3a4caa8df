import * as z from 'zod';
import { absent, count, epsilon, size } from './fields.js';

/** `text_encoder/config.json` of a CLIPTextModel; defaults are transformers' own. */
export const textEncoderConfigSchema = z
  .object({
    architectures: z
      .array(z.enum(['CLIPTextModel', 'CLIPTextModelWithProjection']))
      .min(1)
      .optional(),
    vocab_size: size.default(49408),
    hidden_size: size.default(512),
    intermediate_size: size.default(2048),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(8),
    // The UNet's graph and the tokenizers of the family fix the text at 77 tokens.
    max_position_embeddings: z.literal(77).default(77),
    hidden_act: z.enum(['gelu', 'quick_gelu']).default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
    // diffusers would hide the padding from the text encoder.
    use_attention_mask: absent,
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    path: ['num_attention_heads'],
    error: 'must divide hidden_size',
  });

export type TextEncoderConfig = z.infer<typeof textEncoderConfigSchema>;
