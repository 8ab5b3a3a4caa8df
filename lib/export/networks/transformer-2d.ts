import type { FeatureMap, Operators, Rows } from '../dialects/operators.js';
import type { WeightScope } from '../weight-scope.js';

/** Of its GroupNorm; the LayerNorms have torch's default. Source: diffusers 0.42, transformer_2d.py. */
const GROUP_NORM_EPSILON = 1e-6;
const LAYER_NORM_EPSILON = 1e-5;
/** FeedForward widens by this factor. */
const FEED_FORWARD_FACTOR = 4;

export interface TransformerOptions {
  readonly layers: number;
  readonly heads: number;
  readonly groups: number;
  /** Projections in and out are linear layers on tokens, not 1x1 convolutions. */
  readonly linearProjection: boolean;
  /** The first attention looks at the text too. */
  readonly onlyCrossAttention: boolean;
  /** The attentions in float32. */
  readonly upcastAttention: boolean;
  /** encoder_hidden_states, [B, S, D]. */
  readonly text: Rows;
}

/** Transformer2DModel on continuous input: GroupNorm, projection, BasicTransformerBlocks, projection, residual. */
export function transformer2d(
  ops: Operators,
  scope: WeightScope,
  input: FeatureMap,
  options: TransformerOptions,
): FeatureMap {
  const { channels, height, width } = input;
  // As diffusers: the head size is rounded down, and the blocks work at heads x head size.
  const inner = options.heads * Math.floor(channels / options.heads);
  const normed = ops.groupNorm(scope.child('norm'), input, {
    groups: options.groups,
    epsilon: GROUP_NORM_EPSILON,
  });
  const projIn = scope.child('proj_in');
  let rows = options.linearProjection
    ? ops.linear(projIn, ops.toRows(scope, normed), inner)
    : ops.toRows(scope, ops.conv2d(projIn, normed, { channels: inner, kernel: 1 }));
  for (let layer = 0; layer < options.layers; layer++) {
    rows = transformerBlock(ops, scope.child('transformer_blocks', layer), rows, options);
  }
  const projOut = scope.child('proj_out');
  const output = options.linearProjection
    ? ops.toMap(scope, ops.linear(projOut, rows, channels), height, width)
    : ops.conv2d(projOut, ops.toMap(scope, rows, height, width), { channels, kernel: 1 });
  return ops.add(scope, output, input);
}

/** BasicTransformerBlock with LayerNorm and GEGLU. Source: diffusers 0.42, models/attention.py. */
function transformerBlock(
  ops: Operators,
  scope: WeightScope,
  input: Rows,
  options: TransformerOptions,
): Rows {
  const { text, onlyCrossAttention } = options;
  const norm1 = ops.layerNorm(scope.child('norm1'), input, LAYER_NORM_EPSILON);
  const attn1 = attention(ops, scope.child('attn1'), norm1, onlyCrossAttention ? text : norm1, options);
  const first = ops.add(scope.child('attn1'), attn1, input);

  const norm2 = ops.layerNorm(scope.child('norm2'), first, LAYER_NORM_EPSILON);
  const second = ops.add(
    scope.child('attn2'),
    attention(ops, scope.child('attn2'), norm2, text, options),
    first,
  );

  const norm3 = ops.layerNorm(scope.child('norm3'), second, LAYER_NORM_EPSILON);
  const gated = ops.geglu(scope.child('ff.net.0.proj'), norm3, FEED_FORWARD_FACTOR * input.width);
  return ops.add(scope.child('ff'), ops.linear(scope.child('ff.net.2'), gated, input.width), second);
}

function attention(
  ops: Operators,
  scope: WeightScope,
  x: Rows,
  context: Rows,
  { heads, upcastAttention }: TransformerOptions,
): Rows {
  const attended = ops.attention(scope, {
    query: { scope: scope.child('to_q'), input: x },
    key: { scope: scope.child('to_k'), input: context },
    value: { scope: scope.child('to_v'), input: context },
    heads,
    bias: false,
    precise: upcastAttention,
  });
  return ops.linear(scope.child('to_out.0'), attended, x.width);
}
