import type { GraphBuilder } from '../../onnx/graph-builder.js';
import { PHASES, type Phase, phasePadding } from '../rewrite/upsampled-kernels.js';
import type { WeightScope } from '../weight-scope.js';
import type { FeatureMap } from './operators.js';

/** Nearest neighbour, of a map [B, C, H, W]. */
export function upsample(
  graph: GraphBuilder,
  scope: WeightScope,
  x: FeatureMap,
  height: number,
  width: number,
): FeatureMap {
  const integral = height % x.height === 0 && width % x.width === 0;
  // Scales, where they are whole, let ONNX Runtime keep its blocked layout; sizes serve odd pictures.
  const inputs = integral
    ? [x.value, '', graph.floats([1, 1, height / x.height, width / x.width])]
    : [x.value, '', '', graph.int64s([height, width])];
  const value = graph.node(scope.path, 'Resize', inputs, {
    attributes: {
      mode: { string: 'nearest' },
      coordinate_transformation_mode: { string: 'asymmetric' },
      nearest_mode: { string: 'floor' },
      ...(integral ? {} : { axes: { ints: [2, 3] } }),
    },
  });
  return { ...x, value, height, width };
}

export interface DoubledConvolution {
  readonly channels: number;
  /** The weights of a phase, [channels, C, 2, 2], in the graph. */
  readonly weight: (phase: Phase) => string;
  /** @default none */
  readonly bias?: string;
}

/**
 * A nearest neighbour upsampling by 2 and a 3x3 convolution behind it, as four convolutions of 2x2 on the small map
 * [B, C, H, W] whose results take turns in both directions. Four Convs keep to ONNX Runtime's blocked layout, which a
 * ConvTranspose does not; two Concats interleave faster than DepthToSpace (test/bench/README.md, Upsampling).
 */
export function convolveDoubled(
  graph: GraphBuilder,
  { path }: WeightScope,
  x: FeatureMap,
  { channels, weight, bias }: DoubledConvolution,
): FeatureMap {
  const [height, width] = [2 * x.height, 2 * x.width];
  const phases = PHASES.map((phase) => {
    const inputs = [x.value, weight(phase), ...(bias === undefined ? [] : [bias])];
    const attributes = { kernel_shape: { ints: [2, 2] }, pads: { ints: phasePadding(phase) } };
    const value = graph.node(path, 'Conv', inputs, { attributes });
    return graph.node(path, 'Unsqueeze', [value, graph.int64s([4])]);
  });
  const concat = (values: readonly string[], axis: number) =>
    graph.node(path, 'Concat', values, { attributes: { axis: { int: axis } } });
  // [B, C, H, W, 2] with a row's two columns side by side, then [B, C, H, 2 W, 2] with one row behind the other.
  const rows = [concat(phases.slice(0, 2), 4), concat(phases.slice(2), 4)];
  const value = graph.node(path, 'Reshape', [concat(rows, 3), graph.int64s([0, channels, height, width])]);
  return { value, channels, height, width };
}
