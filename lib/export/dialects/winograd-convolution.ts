import type { GraphBuilder, NodeOptions } from '../../onnx/graph-builder.js';
import { convolve } from './convolution.js';
import type { ConvolutionOptions, FeatureMap } from './operators.js';
import { TILE, WINDOW, winogradMatrices } from './winograd-matrices.js';

const MATRICES = winogradMatrices();
const PRODUCTS = WINDOW ** 2;
const RESULTS = TILE ** 2;

/** From where on a convolution is done by tiles. */
export interface WinogradLimits {
  /** Of channels that come in and of those that go out: with fewer, moving factors and products costs more than is saved. */
  readonly channels: number;
  /** With fewer, the kernels' factors, 4 times the numbers of the kernels, are too much to read for them. */
  readonly tiles: number;
}

/** Measured on a CPU at full size (test/bench/README.md, Convolutions by tiles). */
export const WINOGRAD_LIMITS: WinogradLimits = { channels: 256, tiles: 64 };

/** Whether a convolution is to be done by tiles: of 3x3, stride 1 and zeros all around, over whole tiles. */
export function takesTiles(
  x: FeatureMap,
  { channels, kernel, stride = 1, padding }: ConvolutionOptions,
  limits: WinogradLimits,
): boolean {
  const plain = kernel === 3 && stride === 1 && !padding;
  const whole = x.height % TILE === 0 && x.width % TILE === 0;
  const tiles = (x.height * x.width) / TILE ** 2;
  return plain && whole && tiles >= limits.tiles && Math.min(x.channels, channels) >= limits.channels;
}

/**
 * What `takesTiles` says yes to, of a float32 map [B, C, H, W], by Winograd's minimal filtering F(4x4, 3x3): 36
 * multiplications for 16 results instead of 144.
 *
 * @param weights in the graph: float32 [channels, C, 3, 3], and [channels] to add where there is a bias
 */
export function convolveTiles(
  graph: GraphBuilder,
  name: string,
  x: FeatureMap,
  [weight = '', bias]: readonly string[],
  { channels }: ConvolutionOptions,
): FeatureMap {
  const node = (operator: string, inputs: readonly string[], options?: NodeOptions) =>
    graph.node(name, operator, inputs, options);
  const reshape = (value: string, ...shape: number[]) => node('Reshape', [value, graph.int64s(shape)]);

  // ONNX Runtime does not fold what is in its own domain: kept, these factors would take 4 times the weights' memory, and
  // to make them takes 1 to 5 % of the convolution.
  const taps = reshape(weight, -1, 9);
  const ofKernels = node('FusedMatMul', [graph.floats(MATRICES.kernel, [PRODUCTS, 9]), taps], {
    domain: 'com.microsoft',
    attributes: { transB: { int: 1 } },
  });
  const kernels = reshape(ofKernels, PRODUCTS, channels, x.channels);

  // A convolution of one channel, tile by tile: [B C, 36, H / 4, W / 4].
  const map = { ...x, value: reshape(x.value, -1, 1, x.height, x.width), channels: 1 };
  const matrix = graph.floats(MATRICES.window, [PRODUCTS, 1, WINDOW, WINDOW]);
  const windows = convolve(graph, name, map, [matrix], {
    channels: PRODUCTS,
    kernel: WINDOW,
    stride: TILE,
    padding: [1, 1, 1, 1],
  });
  const { height: rows, width: columns } = windows;
  const perChannel = reshape(windows.value, -1, x.channels, PRODUCTS, rows * columns);
  const factors = node('Transpose', [perChannel], { attributes: { perm: { ints: [0, 2, 1, 3] } } });
  // [B, 36, channels, tiles]
  const products = reshape(node('MatMul', [kernels, factors]), -1, PRODUCTS, channels * rows * columns);
  const results = node('MatMul', [graph.floats(MATRICES.results, [RESULTS, PRODUCTS]), products]);
  const value = node('DepthToSpace', [reshape(results, -1, RESULTS * channels, rows, columns)], {
    attributes: { blocksize: { int: TILE }, mode: { string: 'DCR' } },
  });
  const shifted = bias === undefined ? value : node('Add', [value, reshape(bias, channels, 1, 1)]);
  return { ...x, value: shifted, channels };
}
