import type { VaeConfig } from '../configs/vae-config.js';
import type { Operators } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';
import { upsampler } from './resnet-block.js';
import { vaeAttention, vaeMidBlock, vaeNorm, vaeResnet } from './vae-blocks.js';

/** Tensors of an AutoencoderKL file that decoding has no use for. */
export const VAE_DECODER_UNUSED = /^(encoder|quant_conv)\./;

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
  hidden = vaeMidBlock(ops, scope.child('mid_block'), hidden, config);
  for (const [index, channels] of levels.entries()) {
    const block = scope.child('up_blocks', index);
    const withAttention = config.up_block_types[index] === 'AttnUpDecoderBlock2D';
    for (let layer = 0; layer <= config.layers_per_block; layer++) {
      hidden = vaeResnet(ops, block.child('resnets', layer), hidden, channels, config);
      if (withAttention) hidden = vaeAttention(ops, block.child('attentions', layer), hidden, config);
    }
    const last = index === levels.length - 1;
    if (!last) hidden = upsampler(ops, block, hidden, 2 * hidden.height, 2 * hidden.width);
  }
  // The decoder's last activation is SiLU whatever the config says.
  hidden = vaeNorm(ops, scope.child('conv_norm_out'), hidden, config, 'silu');
  hidden = ops.conv2d(scope.child('conv_out'), hidden, { channels: config.out_channels, kernel: 3 });
  ops.outputPixels('image', hidden);
}
