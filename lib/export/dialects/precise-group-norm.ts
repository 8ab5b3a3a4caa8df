import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { FeatureMap, GroupNormOptions } from './operators.js';

/**
 * Group normalisation of a float32 [B, C, H, W] map without its weights, in ONNX's own operators, its sums taken over rows
 * first. The kernel of InstanceNormalization adds a whole group up number by number, which is wrong in the sixth digit,
 * and to the same side wherever a channel is constant. What is wrong so at the end of a UNet is wrong in every step: four
 * steps of the demo model were up to 3 levels from diffusers. Slower, so only where that matters.
 */
export function preciseGroupNorm(
  graph: GraphBuilder,
  scope: string,
  { value, channels, height, width }: FeatureMap,
  { groups, epsilon }: GroupNormOptions,
): string {
  const node = (operator: string, inputs: readonly string[]) => graph.node(scope, operator, inputs);
  const mean = (of: string) =>
    node('ReduceMean', [node('ReduceMean', [of, graph.int64s([3])]), graph.int64s([2])]);
  const rows = node('Reshape', [value, graph.int64s([0, groups, (channels / groups) * height, width])]);
  const centred = node('Sub', [rows, mean(rows)]);
  const variance = mean(node('Mul', [centred, centred]));
  const deviation = node('Sqrt', [node('Add', [variance, graph.floats([epsilon])])]);
  const normed = node('Div', [centred, deviation]);
  return node('Reshape', [normed, graph.int64s([0, channels, height, width])]);
}
