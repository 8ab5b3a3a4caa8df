import type { TaesdConfig } from '../configs/taesd-config.js';
import type { FeatureMap, Operators } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';

/** Tensors of an AutoencoderTiny file that decoding has no use for. */
export const TAESD_DECODER_UNUSED = /^encoder\./;

/** Latents are softly clamped to this magnitude, whatever `latent_magnitude` says. */
const CLAMP = 3;

/**
 * AutoencoderTiny's decoder: latent_sample float32 [B, latent, h, w] -> image uint8 [B, 2^k h, 2^k w, 3].
 * Its layers are one `nn.Sequential`, hence the running number. Source: diffusers 0.42, DecoderTiny in
 * models/autoencoders/vae.py.
 */
export function describeTaesdDecoder(
  ops: Operators,
  root: WeightScope,
  config: TaesdConfig,
  latentSize: readonly [number, number],
): void {
  const scope = root.child('decoder.layers');
  let next = 0;
  const layer = () => scope.child(next++);

  let hidden = ops.inputMap('latent_sample', config.latent_channels, ...latentSize);
  hidden = ops.multiply(scope, ops.tanh(scope, ops.multiply(scope, hidden, 1 / CLAMP)), CLAMP);
  const [first] = config.decoder_block_out_channels;
  hidden = ops.conv2d(layer(), hidden, { channels: first as number, kernel: 3 });
  hidden = ops.activate(layer(), hidden, config.act_fn);
  for (const [level, blocks] of config.num_decoder_blocks.entries()) {
    const channels = config.decoder_block_out_channels[level] as number;
    for (let block = 0; block < blocks; block++) hidden = tinyBlock(ops, layer(), hidden, config);
    if (level === config.num_decoder_blocks.length - 1) {
      hidden = ops.conv2d(layer(), hidden, { channels: config.out_channels, kernel: 3 });
      continue;
    }
    const factor = config.upsampling_scaling_factor;
    // The upsampling is a layer of its own.
    next++;
    hidden = ops.upsampledConv2d(layer(), hidden, {
      height: factor * hidden.height,
      width: factor * hidden.width,
      channels,
      bias: false,
    });
  }
  // From [0, 1] to the [-1, 1] of every decoder of this family.
  const shifted = ops.addConstant(scope, ops.multiply(scope, hidden, 2), -1);
  ops.outputPixels('image', shifted);
}

/** AutoencoderTinyBlock with equal channels in and out, so that its skip is the identity. */
function tinyBlock(ops: Operators, scope: WeightScope, input: FeatureMap, config: TaesdConfig): FeatureMap {
  const convolution = { channels: input.channels, kernel: 3 };
  let hidden = ops.conv2d(scope.child('conv.0'), input, convolution);
  hidden = ops.activate(scope.child('conv.1'), hidden, config.act_fn);
  hidden = ops.conv2d(scope.child('conv.2'), hidden, convolution);
  hidden = ops.activate(scope.child('conv.3'), hidden, config.act_fn);
  hidden = ops.conv2d(scope.child('conv.4'), hidden, convolution);
  return ops.activate(scope.child('fuse'), ops.add(scope, hidden, input), 'relu');
}
