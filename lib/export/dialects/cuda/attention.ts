import type { WeightScope } from '../../weight-scope.js';
import type { AttentionOptions, Projection, Rows } from '../operators.js';
import type { CudaGraph } from './cuda-graph.js';
import { takesPackedHeads } from './kernel-limits.js';

/**
 * MultiHeadAttention with as many of its three inputs in one tensor as come from the same rows: one product with
 * weights whose rows were mixed head by head, in the layout of the fused kernels, [B, S, heads, 2 or 3, head size].
 *
 * In self-attention the power of two in 1/sqrt(head size) is in the query's weights, and `scale` is what is left of it: 1
 * for a head size of 64. The fused kernels add up Q K^T in float16 and scale what they get, which has ended in black
 * pictures; so it is 8 times smaller, at no cost and without a rounding. Cross-attention keeps its weights: the fused
 * kernel for it multiplies by 1/sqrt(head size) whatever `scale` says (getMHCAParams in
 * contrib_ops/cuda/bert/tensorrt_fused_multihead_attention), and is switched off instead. See FLOAT16.md.
 *
 * Checkpoints that leave float16 all the same say so, and then what follows the projections is in float32.
 *
 * @param inGraph what rows are called in the graph
 */
export function attention(
  graph: CudaGraph,
  scope: WeightScope,
  options: AttentionOptions,
  inGraph: (x: Rows) => string,
): string {
  const { query, key, value, heads, bias = true, causal = false, precise = false } = options;
  const { width } = query.input;
  const headSize = width / heads;
  const isSelf = query.input.value === key.input.value;
  const { power, rest } = splitScale(headSize);
  const inputs = grouped([query, key, value], takesPackedHeads(headSize)).map((group) => {
    const projected = project(group);
    const packed =
      group.length === 1
        ? projected
        : graph.reshape(scope.path, projected, [0, 0, heads, group.length, headSize]);
    return precise ? graph.cast(scope.path, packed, 'float32') : packed;
  });
  const attended = graph.contrib(scope.path, 'MultiHeadAttention', inputs, {
    num_heads: { int: heads },
    unidirectional: { int: causal ? 1 : 0 },
    ...(isSelf && { scale: { float: rest } }),
  });
  return precise ? graph.cast(scope.path, attended, 'float16') : attended;

  /** Several layers on the same rows as one, their outputs mixed head by head. */
  function project(group: readonly Projection[]): string {
    const { input, scope: first } = group[0] as Projection;
    const place = group.length === 1 ? first.path : `${scope.path}.${group.length === 3 ? 'qkv' : 'kv'}`;
    const stacked = (name: 'weight' | 'bias', shape: readonly number[]) =>
      graph.rewritten({
        name: `${place}.${name}`,
        type: 'float16',
        shape: [group.length * width, ...shape],
        sources: group.map((each) => each.scope.take(name, [width, ...shape])),
        blockRows: headSize,
        ...(isSelf && { sourceFactors: group.map((each) => (each === query ? power : 1)) }),
      });
    const product = graph.matMul(place, inGraph(input), stacked('weight', [input.width]));
    return bias ? graph.node(place, 'Add', [product, stacked('bias', [])]) : product;
  }
}

/** 1/sqrt(head size): the largest power of two in it, by which float16 is multiplied exactly, and the rest, 1 to 2. */
function splitScale(headSize: number): { readonly power: number; readonly rest: number } {
  const scale = 1 / Math.sqrt(headSize);
  const power = 2 ** Math.floor(Math.log2(scale));
  return { power, rest: scale / power };
}

/** All three, the last two, or none together. */
function grouped(all: readonly [Projection, Projection, Projection], packs: boolean): Projection[][] {
  const [query, key, value] = all;
  if (!packs || key.input.value !== value.input.value) return [[query], [key], [value]];
  return query.input.value === key.input.value ? [[query, key, value]] : [[query], [key, value]];
}
