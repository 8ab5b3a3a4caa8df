import type { FeatureMap, GroupNormOptions } from '../operators.js';
import type { CudaGraph } from './cuda-graph.js';

/** One number per channel each, in float32. */
export interface Affine {
  readonly gamma: string;
  readonly beta: string;
}

/**
 * Group normalisation of a float16 [B, height, width, channels] map with ONNX's own operators, for channels that the
 * kernel does not take. In float32, because a sum of squares leaves float16 soon.
 */
export function decomposedGroupNorm(
  graph: CudaGraph,
  scope: string,
  x: FeatureMap,
  { gamma, beta }: Affine,
  { groups, epsilon }: GroupNormOptions,
): string {
  const { channels, height, width } = x;
  const node = (operator: string, inputs: readonly string[]) => graph.node(scope, operator, inputs);
  const mean = (value: string) =>
    graph.node(scope, 'ReduceMean', [value, graph.builder.int64s([1, 3])], { keepdims: { int: 1 } });
  const wide = graph.cast(scope, x.value, 'float32');
  const grouped = graph.reshape(scope, wide, [0, height * width, groups, channels / groups]);
  const centred = node('Sub', [grouped, mean(grouped)]);
  const variance = mean(node('Mul', [centred, centred]));
  const deviation = node('Sqrt', [node('Add', [variance, graph.builder.floats([epsilon])])]);
  const normed = graph.reshape(scope, node('Div', [centred, deviation]), [0, height, width, channels]);
  return graph.cast(scope, node('Add', [node('Mul', [normed, gamma]), beta]), 'float16');
}
