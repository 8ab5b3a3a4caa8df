import type { Lowering } from './lower-contrib.js';

/** What the kernels check, read apart from the exporter's own rules: bias_add.cc, bias_split_gelu.cc. */
const BIAS_ADD_CHANNELS = [320, 640, 1280];
const BIAS_SPLIT_GELU_WIDTHS = [2560, 5120, 10240];

/** Names of a node's outputs, undefined where they are left out. */
type Lower = (node: Lowering) => (string | undefined)[];

/** From NHWC, and back. */
const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/**
 * Each operator of ONNX Runtime's own in ONNX's, as microsoft/onnxruntime documents it: in docs/ContribOperators.md
 * (made from the schemas in onnxruntime/core/graph/contrib_ops), and where that is silent in the CUDA kernel below
 * onnxruntime/contrib_ops/cuda. Each refuses what the CUDA kernel refuses.
 */
export const LOWERINGS: Readonly<Record<string, Lower>> = {
  /** "Matrix product that behaves like numpy.matmul": transA and transB swap the last two dimensions, alpha scales. */
  FusedMatMul(node) {
    const side = (index: number, flag: string) => {
      const value = node.input(index) as string;
      const rank = node.rank(value);
      const axes = Array.from({ length: rank }, (_, axis) => axis);
      const swapped = [...axes.slice(0, -2), rank - 1, rank - 2];
      return node.int(flag) ? node.transpose(value, swapped) : value;
    };
    const product = node.op('MatMul', [side(0, 'transA'), side(1, 'transB')]);
    const alpha = node.float('alpha') ?? 1;
    return [alpha === 1 ? product : node.op('Mul', [product, node.scalar(alpha)])];
  },

  /** Conv with X and Y as (N x H x W x C) and weights (M x kH x kW x C/group); the bias is (M). */
  NhwcConv(node) {
    const [x, weight, ...bias] = node.node.inputs as [string, string, ...string[]];
    const { kernel_shape, pads, strides } = node.node.attributes;
    const attributes = {
      ...(kernel_shape && { kernel_shape }),
      ...(pads && { pads }),
      ...(strides && { strides }),
    };
    const [filters, ...kernel] = node.shape(weight).slice(0, 3);
    if (kernel_shape && 'ints' in kernel_shape && kernel.join() !== kernel_shape.ints.join())
      throw new Error(`${node.node.name}: weights are not (M x kH x kW x C)`);
    for (const each of bias)
      if (node.shape(each).join() !== String(filters))
        throw new Error(`${node.node.name}: the bias is not (M)`);
    const inputs = [node.transpose(x, TO_NCHW), node.transpose(weight, TO_NCHW), ...bias];
    return [node.transpose(node.op('Conv', inputs, attributes), TO_NHWC)];
  },

  GroupNorm(node) {
    return [groupNorm(node, node.input(0) as string)];
  },

  /** "s = x + skip + bias", skip being (N x H x W x C), (N x 1 x 1 x C) or (N x C); S is the second output. */
  SkipGroupNorm(node) {
    const skip = node.input(3) as string;
    const channels = node.shape(node.input(1) as string)[0] as number;
    const over = node.rank(skip) === 2 ? node.reshape(skip, [0, 1, 1, channels]) : skip;
    const bias = node.input(4);
    const x = node.input(0) as string;
    // The kernel adds the bias first, each time in half precision (AddSkipBias in group_norm_impl_kernel.cuh).
    const biased = bias === undefined ? x : node.round(node.op('Add', [x, bias]));
    const sum = node.round(node.op('Add', [biased, over]));
    return [groupNorm(node, sum), sum];
  },

  /** LayerNormalization of input + skip + bias, which is the fourth output: inputs are (input, skip, gamma, beta, bias). */
  SkipLayerNormalization(node) {
    const [input, skip, gamma, beta, ...bias] = node.node.inputs as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    let sum = node.op('Add', [input, skip]);
    for (const each of bias) sum = node.op('Add', [sum, each]);
    sum = node.round(sum);
    const epsilon = { float: node.float('epsilon') as number };
    const normed = node.op('LayerNormalization', [sum, gamma, beta], { axis: { int: -1 }, epsilon });
    return [normed, undefined, undefined, sum];
  },

  /** "Add input with bias, then add residual inputs": X and skip (N, S, C), bias (C). */
  BiasAdd(node) {
    const [x, bias, skip] = node.node.inputs as [string, string, string];
    assert(node, node.rank(x) === 3 && BIAS_ADD_CHANNELS.includes(node.shape(bias)[0] as number));
    return [node.op('Add', [node.round(node.op('Add', [x, bias])), skip])];
  },

  /** "After adding bias, hidden state is sliced into two tensors of same size, then left multiplies Gelu of right." */
  BiasSplitGelu(node) {
    const [x, bias] = node.node.inputs as [string, string];
    const width = node.shape(bias)[0] as number;
    assert(node, node.rank(x) === 3 && BIAS_SPLIT_GELU_WIDTHS.includes(width));
    const biased = node.round(node.op('Add', [x, bias]));
    const half = (start: number) =>
      node.op('Slice', [biased, node.ints([start]), node.ints([start + width / 2]), node.ints([-1])]);
    return [node.op('Mul', [half(0), node.op('Gelu', [half(width / 2)])])];
  },

  /** "Bias Gelu": Gelu(A + B), by erf. */
  BiasGelu(node) {
    return [node.op('Gelu', [node.op('Add', node.node.inputs)])];
  },

  /** "Compute x * Sigmoid(alpha * x)." */
  QuickGelu(node) {
    const x = node.input(0) as string;
    const scaled = node.op('Mul', [x, node.scalar(node.float('alpha') as number)]);
    return [node.op('Mul', [x, node.op('Sigmoid', [scaled])])];
  },

  /**
   * Query is "(batch_size, sequence_length, hidden_size), or packed QKV with shape (batch_size, kv_sequence_length,
   * num_heads, 3, head_size)"; key is (batch_size, kv_sequence_length, hidden_size), or packed KV with shape
   * (batch_size, kv_sequence_length, num_heads, 2, head_size). The scale is 1/sqrt(head_size) unless it is given.
   */
  MultiHeadAttention(node) {
    const [query, key, value] = heads(node);
    const sums = node.op('MatMul', [query, node.transpose(key, [0, 1, 3, 2])]);
    const headSize = node.op('Shape', [query], { start: { int: 3 } });
    const root = node.op('Sqrt', [node.op('Cast', [headSize], { to: { int: 1 } })]);
    const given = node.float('scale');
    // Only self-attention has one in this dialect, and only its kernels may add up in float16 there.
    const product = given === undefined ? sums : node.roundScores(sums);
    const scores = given ? node.op('Mul', [product, node.scalar(given)]) : node.op('Div', [product, root]);
    const weights = node.op('Softmax', [node.int('unidirectional') ? masked(node, scores) : scores]);
    const attended = node.transpose(node.op('MatMul', [weights, value]), [0, 2, 1, 3]);
    return [node.reshape(attended, [0, 0, -1])];
  },
};

/**
 * "y = gamma * (x - mean) / sqrt(variance + epsilon) + beta" over groups of channels, with activation 1 followed by
 * SiLU; gamma and beta (C) must be float32 (group_norm.cc).
 */
function groupNorm(node: Lowering, x: string): string {
  const [gamma, beta] = [node.input(1) as string, node.input(2) as string];
  const channels = node.shape(gamma)[0] as number;
  const groups = node.int('groups');
  const perGroup = channels / groups;
  // LaunchGroupNormKernel of group_norm_impl.cu: two channels per thread, at most 512 per block.
  assert(node, perGroup % 2 === 0 && perGroup <= 512);
  assert(
    node,
    node.int('channels_last', 1) === 1 &&
      node.isFloat32(gamma, beta) &&
      node.rank(node.input(0) as string) === 4,
  );
  const grouped = node.reshape(x, [0, -1, groups, channels / groups]);
  const mean = (value: string) => node.op('ReduceMean', [value, node.ints([1, 3])], { keepdims: { int: 1 } });
  const centred = node.op('Sub', [grouped, mean(grouped)]);
  const variance = mean(node.op('Mul', [centred, centred]));
  const deviation = node.op('Sqrt', [
    node.op('Add', [variance, node.scalar(node.float('epsilon') as number)]),
  ]);
  const normed = node.op('Reshape', [node.op('Div', [centred, deviation]), node.op('Shape', [x])]);
  const y = node.op('Add', [node.op('Mul', [normed, gamma]), beta]);
  return node.int('activation') === 1 ? node.op('Mul', [y, node.op('Sigmoid', [y])]) : y;
}

/** Query, key and value as [batch, heads, sequence, head size]. */
function heads(node: Lowering): [string, string, string] {
  const [query, key, value] = [node.input(0) as string, node.input(1), node.input(2)];
  const count = node.int('num_heads');
  const unpack = (packed: string, index: number) => {
    const one = node.op('Gather', [packed, node.ints([index])], { axis: { int: 3 } });
    return node.transpose(node.op('Squeeze', [one, node.ints([3])]), [0, 2, 1, 3]);
  };
  const split = (rows: string) => node.transpose(node.reshape(rows, [0, 0, count, -1]), [0, 2, 1, 3]);
  if (key === undefined) return [unpack(query, 0), unpack(query, 1), unpack(query, 2)];
  if (value === undefined) return [split(query), unpack(key, 0), unpack(key, 1)];
  return [split(query), split(key), split(value)];
}

/** Scores of what comes later are far below every other. */
function masked(node: Lowering, scores: string): string {
  const shape = node.op('Shape', [scores], { start: { int: 2 } });
  const ones = node.op('Expand', [node.scalar(1), shape]);
  const later = node.op('Trilu', [ones, node.index(1)], { upper: { int: 1 } });
  return node.op('Add', [scores, node.op('Mul', [later, node.scalar(-1e9)])]);
}

function assert({ node }: Lowering, fits: boolean): void {
  if (!fits) throw new Error(`${node.name}: ${node.operator} has no CUDA kernel for this`);
}
