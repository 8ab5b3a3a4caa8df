import * as z from 'zod';
import { latentSize, latentSizeKeys } from '../../schemas/latent-size.js';
import { absent, activation, count, countOrNone, epsilon, perLevel, size } from './fields.js';

const perLevelOr = <T extends z.ZodType>(item: T) => z.union([item, perLevel(item)]);

/** The keys of `unet/config.json` that say how each level is built; defaults are diffusers' own. */
const levelKeys = {
  down_block_types: perLevel(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D'])).default([
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]),
  up_block_types: perLevel(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D'])).default([
    'UpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
  ]),
  block_out_channels: perLevel(size).default([320, 640, 1280, 1280]),
  layers_per_block: perLevelOr(countOrNone).default(2),
  transformer_layers_per_block: perLevelOr(countOrNone).default(1),
  only_cross_attention: perLevelOr(z.boolean()).default(false),
  cross_attention_dim: perLevelOr(size).default(1280),
  /** The number of heads, in spite of its name. */
  attention_head_dim: perLevelOr(count).default(8),
};

const rawUnetConfigSchema = z.object({
  _class_name: z.literal('UNet2DConditionModel'),
  ...latentSizeKeys,
  in_channels: size.default(4),
  out_channels: size.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().min(0).max(1).default(0),
  ...levelKeys,
  mid_block_type: z
    .enum(['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D'])
    .nullable()
    .default('UNetMidBlock2DCrossAttn'),
  mid_block_scale_factor: z.number().positive().default(1),
  downsample_padding: z.int().min(0).max(1).default(1),
  act_fn: activation.default('silu'),
  norm_num_groups: count.default(32),
  norm_eps: epsilon.default(1e-5),
  use_linear_projection: z.boolean().default(false),
  upcast_attention: z.boolean().nullish(),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).default('default'),
  time_embedding_type: z.literal('positional').default('positional'),
  time_embedding_dim: size.nullish(),
  time_embedding_act_fn: activation.nullish(),
  timestep_post_act: activation.nullish(),
  conv_in_kernel: z.union([z.literal(1), z.literal(3), z.literal(5), z.literal(7)]).default(3),
  conv_out_kernel: z.union([z.literal(1), z.literal(3), z.literal(5), z.literal(7)]).default(3),
  attention_type: z.literal('default').default('default'),
  // diffusers refuses it as well, for the sake of the misnamed key above.
  num_attention_heads: absent,
  dual_cross_attention: absent,
  class_embed_type: absent,
  num_class_embeds: absent,
  class_embeddings_concat: absent,
  addition_embed_type: absent,
  encoder_hid_dim: absent,
  encoder_hid_dim_type: absent,
  time_cond_proj_dim: absent,
  reverse_transformer_layers_per_block: absent,
});

type RawUnetConfig = z.infer<typeof rawUnetConfigSchema>;

/** One resolution of the UNet, the same on the way down and up. */
export interface UnetLevel {
  readonly channels: number;
  /** Resnet blocks on the way down; one more on the way up. */
  readonly resnets: number;
  readonly downAttention: boolean;
  readonly upAttention: boolean;
  readonly onlyCrossAttention: boolean;
  readonly heads: number;
  /** BasicTransformerBlocks per attention. */
  readonly transformerLayers: number;
}

/** `unet/config.json` of a UNet2DConditionModel, its per-level lists brought together. */
export const unetConfigSchema = rawUnetConfigSchema
  .superRefine((config, context) => {
    const levels = config.block_out_channels.length;
    for (const key of Object.keys(levelKeys) as (keyof typeof levelKeys)[]) {
      const value = config[key];
      if (Array.isArray(value) && value.length !== levels) {
        const message = `must have one entry per block_out_channels (${levels})`;
        context.addIssue({ code: 'custom', path: [key], message });
      }
    }
    if (textWidths(config).size > 1) {
      const message = 'must be the same at every level with attention: there is one text encoder';
      context.addIssue({ code: 'custom', path: ['cross_attention_dim'], message });
    }
    if (config.block_out_channels.some((channels) => channels % config.norm_num_groups !== 0)) {
      const message = 'must divide every block_out_channels';
      context.addIssue({ code: 'custom', path: ['norm_num_groups'], message });
    }
  })
  .transform((config) => {
    const levels = config.block_out_channels.map((_, index) => levelOf(config, index));
    const [text_width] = textWidths(config);
    const time_embedding_dim = config.time_embedding_dim ?? 4 * (levels[0] as UnetLevel).channels;
    return {
      ...config,
      sample_size: latentSize(config),
      levels,
      time_embedding_dim,
      text_width: text_width as number,
    };
  });

function levelOf(config: RawUnetConfig, index: number): UnetLevel {
  const at = <T>(value: T | T[]): T => (Array.isArray(value) ? (value[index] as T) : value);
  return {
    channels: at(config.block_out_channels) as number,
    resnets: at(config.layers_per_block),
    downAttention: config.down_block_types[index] === 'CrossAttnDownBlock2D',
    upAttention: config.up_block_types.at(-1 - index) === 'CrossAttnUpBlock2D',
    onlyCrossAttention: at(config.only_cross_attention),
    heads: at(config.attention_head_dim),
    transformerLayers: at(config.transformer_layers_per_block),
  };
}

/** Widths of text that the attentions ask for; levels without attention may name any. */
function textWidths(config: RawUnetConfig): Set<number> {
  const dims = [config.cross_attention_dim].flat();
  if (dims.length === 1) return new Set(dims);
  const middle = config.mid_block_type === 'UNetMidBlock2DCrossAttn' ? dims.length - 1 : undefined;
  const asked = dims.filter((_, index) => {
    const { downAttention, upAttention } = levelOf(config, index);
    return downAttention || upAttention || index === middle;
  });
  return new Set(asked.length > 0 ? asked : dims.slice(0, 1));
}

export type UnetConfig = z.infer<typeof unetConfigSchema>;
