import { AppError } from '../../errors/app-error.js';
import type { UnetConfig } from '../configs/unet-config.js';
import type { FeatureMap, Operators, Rows } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';
import { type ResnetOptions, resnetBlock, upsampler } from './resnet-block.js';
import { transformer2d } from './transformer-2d.js';

/** The longest text any CLIP encoder of the family gives; a fixed length lets the runtime plan ahead. */
const TEXT_LENGTH = 77;

/** What every block needs besides its input. */
interface Context {
  readonly ops: Operators;
  readonly config: UnetConfig;
  /** Time embedding after its activation, [B, D]. */
  readonly time: Rows;
  /** encoder_hidden_states, [B, 77, D]. */
  readonly text: Rows;
}

type Level = UnetConfig['levels'][number];

/**
 * UNet2DConditionModel: sample float32 [B, in, h, w], timestep float32 [B], encoder_hidden_states
 * float32 [B, 77, D] -> out_sample float32 [B, out, h, w].
 * Source: diffusers 0.42, models/unets/unet_2d_condition.py and unet_2d_blocks.py.
 */
export function describeUnet(ops: Operators, root: WeightScope, config: UnetConfig): void {
  const sample = ops.inputMap('sample', config.in_channels, ...config.sample_size);
  const time = timeEmbedding(ops, root, config);
  const text = ops.inputRows('encoder_hidden_states', TEXT_LENGTH, config.text_width);
  const context = { ops, config, time, text };

  const first = config.levels[0] as Level;
  const centred = config.center_input_sample ? centre(ops, root, sample) : sample;
  const input = ops.conv2d(root.child('conv_in'), centred, {
    channels: first.channels,
    kernel: config.conv_in_kernel,
  });
  const skips = [input];
  for (const index of config.levels.keys())
    skips.push(...downBlock(context, root, index, skips.at(-1) as FeatureMap));
  let hidden = midBlock(context, root.child('mid_block'), skips.at(-1) as FeatureMap);
  for (const index of config.levels.keys()) hidden = upBlock(context, root, index, hidden, skips);

  const { norm_num_groups: groups, norm_eps: epsilon, act_fn: activation } = config;
  hidden = ops.groupNorm(root.child('conv_norm_out'), hidden, { groups, epsilon, activation, precise: true });
  hidden = ops.conv2d(root.child('conv_out'), hidden, {
    channels: config.out_channels,
    kernel: config.conv_out_kernel,
  });
  ops.outputMap('out_sample', hidden);
}

function centre(ops: Operators, root: WeightScope, sample: FeatureMap): FeatureMap {
  return ops.addConstant(root, ops.multiply(root, sample, 2), -1);
}

/** TimestepEmbedding, then the activation with which every resnet block begins its use of it. */
function timeEmbedding(ops: Operators, root: WeightScope, config: UnetConfig): Rows {
  const scope = root.child('time_embedding');
  const width = config.time_embedding_dim;
  let hidden = ops.embedTimestep(root.child('time_proj'), 'timestep', {
    channels: (config.levels[0] as Level).channels,
    flipSinToCos: config.flip_sin_to_cos,
    frequencyShift: config.freq_shift,
  });
  hidden = ops.linear(scope.child('linear_1'), hidden, width, { precise: true });
  hidden = ops.activate(scope, hidden, config.act_fn);
  hidden = ops.linear(scope.child('linear_2'), hidden, width, { precise: true });
  if (config.timestep_post_act) hidden = ops.activate(scope, hidden, config.timestep_post_act);
  if (config.time_embedding_act_fn) hidden = ops.activate(root, hidden, config.time_embedding_act_fn);
  return ops.activate(root, hidden, config.act_fn);
}

/** Returns every value that an up block will take back, the block's output last. */
function downBlock(context: Context, root: WeightScope, index: number, input: FeatureMap): FeatureMap[] {
  const { ops, config } = context;
  const level = config.levels[index] as Level;
  const scope = root.child('down_blocks', index);
  const outputs: FeatureMap[] = [];
  let hidden = input;
  for (let layer = 0; layer < level.resnets; layer++) {
    hidden = resnet(context, scope.child('resnets', layer), hidden, level.channels);
    if (level.downAttention) {
      hidden = transformer(
        context,
        scope.child('attentions', layer),
        hidden,
        level,
        level.onlyCrossAttention,
      );
    }
    outputs.push(hidden);
  }
  if (index < config.levels.length - 1)
    outputs.push(downsampler(ops, scope, hidden, config.downsample_padding));
  return outputs;
}

function downsampler(ops: Operators, scope: WeightScope, x: FeatureMap, pad: number): FeatureMap {
  if (pad === 0 && Math.min(x.height, x.width) < 2) {
    const message = `unet/config.json: sample_size leaves ${x.height} x ${x.width} to a level that is to be halved`;
    throw new AppError('UNSUPPORTED', message);
  }
  // Without padding diffusers adds zeros at the right and the bottom only.
  const padding = pad === 0 ? ([0, 0, 1, 1] as const) : ([pad, pad, pad, pad] as const);
  const options = { channels: x.channels, kernel: 3, stride: 2, padding };
  return ops.conv2d(scope.child('downsamplers.0.conv'), x, options);
}

function midBlock(context: Context, scope: WeightScope, input: FeatureMap): FeatureMap {
  const { config } = context;
  if (config.mid_block_type === null) return input;
  const outputScale = config.mid_block_scale_factor;
  let hidden = resnet(context, scope.child('resnets.0'), input, input.channels, outputScale);
  if (config.mid_block_type === 'UNetMidBlock2DCrossAttn') {
    // The middle always has self-attention: diffusers does not pass `only_cross_attention` to it.
    hidden = transformer(context, scope.child('attentions.0'), hidden, config.levels.at(-1) as Level, false);
    hidden = resnet(context, scope.child('resnets.1'), hidden, input.channels, outputScale);
  }
  return hidden;
}

/** Takes as many values off `skips` as it has resnet blocks. */
function upBlock(
  context: Context,
  root: WeightScope,
  index: number,
  input: FeatureMap,
  skips: FeatureMap[],
): FeatureMap {
  const { ops, config } = context;
  const level = config.levels.at(-1 - index) as Level;
  const scope = root.child('up_blocks', index);
  let hidden = input;
  for (let layer = 0; layer <= level.resnets; layer++) {
    const block = scope.child('resnets', layer);
    hidden = resnet(
      context,
      block,
      ops.concatChannels(block, hidden, skips.pop() as FeatureMap),
      level.channels,
    );
    if (level.upAttention) {
      hidden = transformer(
        context,
        scope.child('attentions', layer),
        hidden,
        level,
        level.onlyCrossAttention,
      );
    }
  }
  // An odd size was rounded up on the way down: the next skip says to which size to return.
  const next = skips.at(-1);
  return next ? upsampler(ops, scope, hidden, next.height, next.width) : hidden;
}

function resnet(
  { ops, config, time }: Context,
  scope: WeightScope,
  x: FeatureMap,
  channels: number,
  outputScale = 1,
): FeatureMap {
  const options: ResnetOptions = {
    channels,
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
    activation: config.act_fn,
    time: { embedding: time, scaleShift: config.resnet_time_scale_shift === 'scale_shift' },
    outputScale,
  };
  return resnetBlock(ops, scope, x, options);
}

function transformer(
  { ops, config, text }: Context,
  scope: WeightScope,
  x: FeatureMap,
  level: Level,
  onlyCrossAttention: boolean,
): FeatureMap {
  return transformer2d(ops, scope, x, {
    layers: level.transformerLayers,
    heads: level.heads,
    groups: config.norm_num_groups,
    linearProjection: config.use_linear_projection,
    onlyCrossAttention,
    upcastAttention: config.upcast_attention ?? false,
    text,
  });
}
