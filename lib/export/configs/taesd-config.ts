import * as z from 'zod';
import { activation, perLevel, size } from './fields.js';

/** `config.json` of an AutoencoderTiny; defaults are diffusers' own. */
export const taesdConfigSchema = z
  .object({
    _class_name: z.literal('AutoencoderTiny'),
    out_channels: z.literal(3).default(3),
    latent_channels: size.default(4),
    decoder_block_out_channels: perLevel(size).default([64, 64, 64, 64]),
    num_decoder_blocks: perLevel(z.int().min(0).max(64)).default([3, 3, 3, 1]),
    act_fn: activation.default('relu'),
    upsample_fn: z.literal('nearest').default('nearest'),
    upsampling_scaling_factor: z.int().min(1).max(8).default(2),
    scaling_factor: z.number().positive().default(1),
  })
  .refine((config) => config.num_decoder_blocks.length === config.decoder_block_out_channels.length, {
    path: ['num_decoder_blocks'],
    error: 'must have one entry per decoder_block_out_channels',
  })
  .refine((config) => new Set(config.decoder_block_out_channels).size === 1, {
    path: ['decoder_block_out_channels'],
    error: 'must be equal at every level: nothing in this architecture changes the number of channels',
  });

export type TaesdConfig = z.infer<typeof taesdConfigSchema>;
