import type { VaeConfig } from '../configs/vae-config.js';
import type { FeatureMap, Operators } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';
import { resnetBlock, upsampler } from './resnet-block.js';

/** Of every normalisation in the VAE. Source: diffusers 0.42, models/autoencoders/vae.py. */
const EPSILON = 1e-6;

/** Tensors of an AutoencoderKL file that decoding has no use for. */
export const VAE_DECODER_UNUSED = /^(encoder|quant_conv)\./;

/** Names of attention weights before diffusers 0.18, brought to today's. */
export function renameVaeTensor(name: string): string {
  return name.replace(
    /(\.attentions\.\d+\.)(query|key|value|proj_attn)\./,
    (_, place: string, old: string) => {
      const today = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' }[old];
      return `${place}${today}.`;
    },
  );
}

/**
 * AutoencoderKL's decoder: latent_sample float32 [B, latent, h, w] -> image uint8 [B, 2^k h, 2^k w, 3].
 * Latents come already divided by the scaling factor.
 */
export function describeVaeDecoder(
  ops: Operators,
  root: WeightScope,
  config: VaeConfig,
  latentSize: readonly [number, number],
): void {
  let hidden = ops.inputMap('latent_sample', config.latent_channels, ...latentSize);
  if (config.use_post_quant_conv) {
    const channels = config.latent_channels;
    hidden = ops.conv2d(root.child('post_quant_conv'), hidden, { channels, kernel: 1 });
  }
  const scope = root.child('decoder');
  const levels = [...config.block_out_channels].reverse();
  hidden = ops.conv2d(scope.child('conv_in'), hidden, { channels: levels[0] as number, kernel: 3 });
  hidden = midBlock(ops, scope.child('mid_block'), hidden, config);
  for (const [index, channels] of levels.entries()) {
    const block = scope.child('up_blocks', index);
    const withAttention = config.up_block_types[index] === 'AttnUpDecoderBlock2D';
    for (let layer = 0; layer <= config.layers_per_block; layer++) {
      hidden = resnet(ops, block.child('resnets', layer), hidden, channels, config);
      if (withAttention) hidden = attention(ops, block.child('attentions', layer), hidden, config);
    }
    const last = index === levels.length - 1;
    if (!last) hidden = upsampler(ops, block, hidden, 2 * hidden.height, 2 * hidden.width);
  }
  // The decoder's last activation is SiLU whatever the config says.
  hidden = ops.groupNorm(scope.child('conv_norm_out'), hidden, {
    groups: config.norm_num_groups,
    epsilon: EPSILON,
    activation: 'silu',
  });
  hidden = ops.conv2d(scope.child('conv_out'), hidden, { channels: config.out_channels, kernel: 3 });
  ops.outputPixels('image', hidden);
}

function midBlock(ops: Operators, scope: WeightScope, input: FeatureMap, config: VaeConfig): FeatureMap {
  let hidden = resnet(ops, scope.child('resnets.0'), input, input.channels, config);
  if (config.mid_block_add_attention) hidden = attention(ops, scope.child('attentions.0'), hidden, config);
  return resnet(ops, scope.child('resnets.1'), hidden, input.channels, config);
}

function resnet(
  ops: Operators,
  scope: WeightScope,
  x: FeatureMap,
  channels: number,
  config: VaeConfig,
): FeatureMap {
  const { norm_num_groups: groups, act_fn: activation } = config;
  return resnetBlock(ops, scope, x, { channels, groups, activation, epsilon: EPSILON });
}

/** One head over all channels, with biases and a residual. */
function attention(ops: Operators, scope: WeightScope, input: FeatureMap, config: VaeConfig): FeatureMap {
  const { channels, height, width } = input;
  const norm = { groups: config.norm_num_groups, epsilon: EPSILON };
  const rows = ops.toRows(scope, ops.groupNorm(scope.child('group_norm'), input, norm));
  const attended = ops.attention(scope, {
    query: { scope: scope.child('to_q'), input: rows },
    key: { scope: scope.child('to_k'), input: rows },
    value: { scope: scope.child('to_v'), input: rows },
    heads: 1,
  });
  const output = ops.linear(scope.child('to_out.0'), attended, channels);
  return ops.add(scope, ops.toMap(scope, output, height, width), input);
}
