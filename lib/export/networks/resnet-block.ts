import type { Activation, FeatureMap, Operators, Rows } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';

export interface ResnetOptions {
  readonly channels: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** The time embedding after its activation, and how it enters. @default none, as in the VAE */
  readonly time?: { readonly embedding: Rows; readonly scaleShift: boolean };
  /** The sum is divided by it. @default 1 */
  readonly outputScale?: number;
}

/** ResnetBlock2D. Source: diffusers 0.42, models/resnet.py. */
export function resnetBlock(
  ops: Operators,
  scope: WeightScope,
  input: FeatureMap,
  options: ResnetOptions,
): FeatureMap {
  const { channels, groups, epsilon, activation, time, outputScale = 1 } = options;
  const norm = { groups, epsilon, activation };

  let hidden = ops.groupNorm(scope.child('norm1'), input, norm);
  hidden = ops.conv2d(scope.child('conv1'), hidden, { channels, kernel: 3 });
  if (time?.scaleShift) {
    const scaleShift = ops.linear(scope.child('time_emb_proj'), time.embedding, 2 * channels);
    hidden = ops.groupNorm(scope.child('norm2'), hidden, { groups, epsilon });
    hidden = ops.scaleShiftChannels(scope.child('time_emb_proj'), hidden, scaleShift);
    hidden = ops.activate(scope, hidden, activation);
  } else {
    if (time) {
      const shift = ops.linear(scope.child('time_emb_proj'), time.embedding, channels);
      hidden = ops.shiftChannels(scope.child('time_emb_proj'), hidden, shift);
    }
    hidden = ops.groupNorm(scope.child('norm2'), hidden, norm);
  }
  hidden = ops.conv2d(scope.child('conv2'), hidden, { channels, kernel: 3 });

  const shortcut =
    input.channels === channels
      ? input
      : ops.conv2d(scope.child('conv_shortcut'), input, { channels, kernel: 1 });
  const sum = ops.add(scope, shortcut, hidden);
  return outputScale === 1 ? sum : ops.multiply(scope, sum, 1 / outputScale);
}

/** Upsample2D with its convolution: nearest neighbour to the given size, then 3x3. */
export function upsampler(
  ops: Operators,
  block: WeightScope,
  x: FeatureMap,
  height: number,
  width: number,
): FeatureMap {
  const scope = block.child('upsamplers.0.conv');
  return ops.upsampledConv2d(scope, x, { height, width, channels: x.channels });
}
