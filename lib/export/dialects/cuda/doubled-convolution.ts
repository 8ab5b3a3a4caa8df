import type { StoredTensor } from '../../../weights/checkpoint/safetensors-header.js';
import { summedShape } from '../../rewrite/upsampled-kernels.js';
import type { FeatureMap } from '../operators.js';
import type { CudaGraph } from './cuda-graph.js';

/** The lower row of results of every two is behind the upper one; what they are made of comes in the other order. */
const ROWS = [1, 0] as const;

/**
 * A nearest neighbour upsampling by 2 and a 3x3 convolution behind it, as convolutions of 2x2 on the small map
 * [B, H, W, C] with zeros on all sides, which cuDNN wants alike. Each gives one result too many in a row and a column:
 * (H + 1) x (W + 1) times those of the right and the left column of pixel pairs. Row by row these lie as the pixels of
 * the large map do, but for the first and the last, which are cut off: so is what is above and below.
 *
 * @param filters [channels, C, 3, 3]
 * @param factor of the weights
 */
export function convolveDoubled(
  graph: CudaGraph,
  scope: string,
  x: FeatureMap,
  filters: StoredTensor,
  factor: number,
): string {
  const [channels, inputs, ...kernel] = summedShape(filters.shape) as [number, number, number, number];
  const parity = ROWS.map((row) => {
    const weight = graph.rewritten({
      name: `${filters.name}/row${row}`,
      type: 'float16',
      shape: [2 * channels, ...kernel, inputs],
      sources: [filters, filters],
      phases: [
        [row, 1],
        [row, 0],
      ],
      channelsLast: true,
      factor,
    });
    return graph.contrib(scope, 'NhwcConv', [x.value, weight], {
      kernel_shape: { ints: kernel },
      pads: { ints: [1, 1, 1, 1] },
      strides: { ints: [1, 1] },
    });
  });
  const pairs = graph.node(scope, 'Concat', parity, { axis: { int: 2 } });
  const rowLength = 2 * (x.width + 1) * channels;
  const rows = graph.reshape(scope, pairs, [0, 2 * (x.height + 1), rowLength]);
  const { builder } = graph;
  const inner = graph.node(scope, 'Slice', [
    rows,
    builder.int64s([1, channels]),
    builder.int64s([1 + 2 * x.height, rowLength - channels]),
    builder.int64s([1, 2]),
  ]);
  return graph.reshape(scope, inner, [0, 2 * x.height, 2 * x.width, channels]);
}
