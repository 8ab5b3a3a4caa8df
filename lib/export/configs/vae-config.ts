import * as z from 'zod';
import { activation, count, countOrNone, perLevel, size } from './fields.js';

/** `vae/config.json` of an AutoencoderKL; defaults are diffusers' own. */
export const vaeConfigSchema = z
  .object({
    _class_name: z.literal('AutoencoderKL'),
    in_channels: z.literal(3).default(3),
    out_channels: z.literal(3).default(3),
    latent_channels: size.default(4),
    block_out_channels: perLevel(size).default([64]),
    /** Of the encoder, which most bundles do without: it checks them. */
    down_block_types: perLevel(z.string()).default(['DownEncoderBlock2D']),
    up_block_types: perLevel(z.enum(['UpDecoderBlock2D', 'AttnUpDecoderBlock2D'])).default([
      'UpDecoderBlock2D',
    ]),
    layers_per_block: countOrNone.default(1),
    norm_num_groups: count.default(32),
    act_fn: activation.default('silu'),
    use_quant_conv: z.boolean().default(true),
    use_post_quant_conv: z.boolean().default(true),
    mid_block_add_attention: z.boolean().default(true),
    scaling_factor: z.number().positive().default(0.18215),
  })
  .refine((config) => config.up_block_types.length === config.block_out_channels.length, {
    path: ['up_block_types'],
    error: 'must have one entry per block_out_channels',
  })
  .refine(
    (config) => config.block_out_channels.every((channels) => channels % config.norm_num_groups === 0),
    {
      path: ['norm_num_groups'],
      error: 'must divide every block_out_channels',
    },
  );

export type VaeConfig = z.infer<typeof vaeConfigSchema>;
