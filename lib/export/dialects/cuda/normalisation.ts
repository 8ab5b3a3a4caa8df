import type { WeightScope } from '../../weight-scope.js';
import type { FeatureMap, GroupNormOptions, Rows } from '../operators.js';
import { activation } from './activation.js';
import type { CudaGraph } from './cuda-graph.js';
import type { CudaValues } from './cuda-values.js';
import { type Affine, decomposedGroupNorm } from './decomposed-group-norm.js';
import { takesGroupNorm } from './kernel-limits.js';

/** GroupNorm with its activation, and with the sum in front of it where one waits: SkipGroupNorm gives both. */
export function groupNorm(
  graph: CudaGraph,
  values: CudaValues,
  scope: WeightScope,
  x: FeatureMap,
  options: GroupNormOptions,
): FeatureMap {
  const affine = {
    gamma: graph.weight(scope.take('weight', [x.channels]), { type: 'float32' }),
    beta: graph.weight(scope.take('bias', [x.channels]), { type: 'float32' }),
  };
  // Where all numbers are smaller by a factor, the variance is smaller by its square.
  const scaled = { ...options, epsilon: options.epsilon * values.scaleOf(x) ** 2 };
  const fits = takesGroupNorm(x.channels, options.groups);
  const value = fits
    ? kernelGroupNorm(graph, values, scope.path, x, affine, scaled)
    : decomposedGroupNorm(graph, scope.path, { ...x, value: values.stored(x) }, affine, scaled);
  const isDone = options.activation === undefined || (fits && options.activation === 'silu');
  return { ...x, value: isDone ? value : activation(graph, scope.path, value, options.activation) };
}

function kernelGroupNorm(
  graph: CudaGraph,
  values: CudaValues,
  scope: string,
  x: FeatureMap,
  { gamma, beta }: Affine,
  options: GroupNormOptions,
): string {
  const attributes = {
    activation: { int: options.activation === 'silu' ? 1 : 0 },
    channels_last: { int: 1 },
    epsilon: { float: options.epsilon },
    groups: { int: options.groups },
  };
  const sum = values.waiting(x);
  if (!sum || (!sum.skip && sum.biases.length === 0))
    return graph.contrib(scope, 'GroupNorm', [values.stored(x), gamma, beta], attributes);
  // A bias alone is a skip that is the same for every pixel: a convolution would add it in a pass of its own.
  const addends = sum.skip
    ? [sum.skip.value, ...values.biases(sum)]
    : values.biases(sum).map((bias) => graph.forEachPicture(sum.scope, bias));
  const inputs = [sum.product(), gamma, beta, ...addends];
  const outputs = graph.contribOutputs(scope, 'SkipGroupNorm', inputs, { attributes, outputs: 2 });
  const [normed, total] = outputs as [string, string];
  values.settleAs(x, total);
  return normed;
}

/** LayerNormalization, with the sum in front of it where one waits. */
export function layerNorm(
  graph: CudaGraph,
  values: CudaValues,
  scope: WeightScope,
  x: Rows,
  epsilon: number,
): Rows {
  const { width } = x;
  const gamma = graph.weight(scope.take('weight', [width]));
  const beta = graph.weight(scope.take('bias', [width]));
  const attributes = { epsilon: { float: epsilon * values.scaleOf(x) ** 2 } };
  const sum = values.waiting(x);
  if (!sum?.skip) {
    const inputs = [values.stored(x), gamma, beta];
    const value = graph.node(scope.path, 'LayerNormalization', inputs, { axis: { int: -1 }, ...attributes });
    return { value, width };
  }
  const inputs = [sum.product(), sum.skip.value, gamma, beta, ...values.biases(sum)];
  // The second and third are mean and deviation, which only training wants.
  const outputs = graph.contribOutputs(scope.path, 'SkipLayerNormalization', inputs, {
    attributes,
    outputs: 4,
  });
  const [normed, , , total] = outputs as [string, string, string, string];
  values.settleAs(x, total);
  return { value: normed, width };
}
