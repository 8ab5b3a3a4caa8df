import { AppError } from '../../errors/app-error.js';
import { showValue } from '../../errors/show-value.js';
import type { VaeConfig } from '../configs/vae-config.js';
import type { FeatureMap, Operators } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';
import { vaeAttention, vaeMidBlock, vaeNorm, vaeResnet } from './vae-blocks.js';

/** Tensors of an AutoencoderKL file that encoding has no use for. */
export const VAE_ENCODER_UNUSED = /^(decoder|post_quant_conv)\./;

/**
 * AutoencoderKL's encoder: sample float32 [B, 3, 2^k h, 2^k w] in [-1, 1] -> latent_parameters float32
 * [B, 2 latent, h, w], the means of a normal distribution and the logarithms of its variances.
 *
 * @param latentSize h and w
 * @throws AppError UNSUPPORTED for other blocks
 */
export function describeVaeEncoder(
  ops: Operators,
  root: WeightScope,
  config: VaeConfig,
  latentSize: readonly [number, number],
): void {
  assertBlocks(config);
  const scope = root.child('encoder');
  const levels = config.block_out_channels;
  const factor = 2 ** (levels.length - 1);
  const [height, width] = [factor * latentSize[0], factor * latentSize[1]];
  const sample = ops.inputMap('sample', config.in_channels, height, width);
  let hidden = ops.conv2d(scope.child('conv_in'), sample, { channels: levels[0] as number, kernel: 3 });
  for (const [index, channels] of levels.entries()) {
    const block = scope.child('down_blocks', index);
    const withAttention = config.down_block_types[index] === 'AttnDownEncoderBlock2D';
    for (let layer = 0; layer < config.layers_per_block; layer++) {
      hidden = vaeResnet(ops, block.child('resnets', layer), hidden, channels, config);
      if (withAttention) hidden = vaeAttention(ops, block.child('attentions', layer), hidden, config);
    }
    if (index < levels.length - 1) hidden = downsampler(ops, block, hidden);
  }
  hidden = vaeMidBlock(ops, scope.child('mid_block'), hidden, config);
  hidden = vaeNorm(ops, scope.child('conv_norm_out'), hidden, config, 'silu');
  const channels = 2 * config.latent_channels;
  hidden = ops.conv2d(scope.child('conv_out'), hidden, { channels, kernel: 3 });
  if (config.use_quant_conv) hidden = ops.conv2d(root.child('quant_conv'), hidden, { channels, kernel: 1 });
  ops.outputMap('latent_parameters', hidden);
}

function assertBlocks({ down_block_types: types, block_out_channels: levels }: VaeConfig): void {
  const known = types.every((type) => type === 'DownEncoderBlock2D' || type === 'AttnDownEncoderBlock2D');
  if (known && types.length === levels.length) return;
  throw new AppError(
    'UNSUPPORTED',
    `vae down_block_types is ${showValue(types)}: no encoder can be made of it`,
  );
}

/** Downsample2D of the VAE: zeros at the bottom and at the right only. Source: diffusers 0.42, models/downsampling.py. */
function downsampler(ops: Operators, block: WeightScope, x: FeatureMap): FeatureMap {
  const scope = block.child('downsamplers.0').child('conv');
  return ops.conv2d(scope, x, { channels: x.channels, kernel: 3, stride: 2, padding: [0, 0, 1, 1] });
}
