import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { ConvolutionOptions, FeatureMap } from './operators.js';

/**
 * A convolution of a map [B, C, H, W].
 *
 * @param weights in the graph: [channels, C, kernel, kernel], and [channels] to add where there is a bias
 */
export function convolve(
  graph: GraphBuilder,
  name: string,
  x: FeatureMap,
  weights: readonly string[],
  options: ConvolutionOptions,
): FeatureMap {
  const { channels, kernel, stride = 1 } = options;
  const half = (kernel - 1) / 2;
  const [top, left, bottom, right] = options.padding ?? [half, half, half, half];
  const value = graph.node(name, 'Conv', [x.value, ...weights], {
    attributes: {
      kernel_shape: { ints: [kernel, kernel] },
      pads: { ints: [top, left, bottom, right] },
      strides: { ints: [stride, stride] },
    },
  });
  const height = Math.floor((x.height + top + bottom - kernel) / stride) + 1;
  const width = Math.floor((x.width + left + right - kernel) / stride) + 1;
  return { value, channels, height, width };
}
