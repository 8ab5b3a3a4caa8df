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

/** Either will do: 128 channels pay on the largest maps only (test/bench/README.md, Convolutions by tiles). */
export const WINOGRAD_LIMITS: readonly WinogradLimits[] = [
  { channels: 256, tiles: 64 },
  { channels: 128, tiles: 16_384 },
];

/** Channels times tiles of what is done at once: its factors and its products, 19 MB each, stay in a cache. */
const AT_ONCE = 2 ** 17;

/** Whether a convolution is to be done by tiles: of 3x3, stride 1 and zeros all around, over whole tiles. */
export function takesTiles(
  x: FeatureMap,
  { channels, kernel, stride = 1, padding }: ConvolutionOptions,
  limits: readonly WinogradLimits[],
): boolean {
  const plain = kernel === 3 && stride === 1 && !padding;
  const whole = x.height % TILE === 0 && x.width % TILE === 0;
  const tiles = (x.height * x.width) / TILE ** 2;
  const fewest = Math.min(x.channels, channels);
  return plain && whole && limits.some((limit) => tiles >= limit.tiles && fewest >= limit.channels);
}

/**
 * What `takesTiles` says yes to, of a float32 map [B, C, H, W], by Winograd's minimal filtering F(4x4, 3x3): 36
 * multiplications for 16 results instead of 144. A large map is done strip by strip.
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
  // ONNX Runtime does not fold what is in its own domain: kept, these factors would take 4 times the weights' memory, and
  // to make them takes 1 to 5 % of the convolution.
  const taps = graph.node(name, 'Reshape', [weight, graph.int64s([-1, 9])]);
  const ofKernels = graph.node(name, 'FusedMatMul', [graph.floats(MATRICES.kernel, [PRODUCTS, 9]), taps], {
    domain: 'com.microsoft',
    attributes: { transB: { int: 1 } },
  });
  const shape = graph.int64s([PRODUCTS, channels, x.channels]);
  const kernels = { value: graph.node(name, 'Reshape', [ofKernels, shape]), channels, inputs: x.channels };
  const shift = bias && graph.node(name, 'Reshape', [bias, graph.int64s([channels, 1, 1])]);

  // Each channel for itself: [B C, 1, H, W].
  const oneByOne = graph.int64s([-1, 1, x.height, x.width]);
  const planes = { ...x, value: graph.node(name, 'Reshape', [x.value, oneByOne]), channels: 1 };
  const strips = cutStrips(x, channels).map((strip) => {
    const value = convolveStrip(graph, name, planes, strip, kernels);
    return shift ? graph.node(name, 'Add', [value, shift]) : value;
  });
  const [first = '', ...others] = strips;
  const attributes = { axis: { int: 2 } };
  const value = others.length === 0 ? first : graph.node(name, 'Concat', strips, { attributes });
  return { ...x, value, channels };
}

/** Factors of kernels: [36, channels, inputs]. */
interface KernelFactors {
  readonly value: string;
  readonly channels: number;
  readonly inputs: number;
}

/** Rows of a map. */
interface Strip {
  readonly from: number;
  readonly to: number;
}

/** Of whole tiles, as many as there must be, as equal as can be. */
function cutStrips(x: FeatureMap, channels: number): Strip[] {
  const [rows, columns] = [x.height / TILE, x.width / TILE];
  const count = Math.ceil((Math.max(x.channels, channels) * rows * columns) / AT_ONCE);
  const height = TILE * Math.ceil(rows / count);
  return Array.from({ length: Math.ceil(x.height / height) }, (_, index) => ({
    from: index * height,
    to: Math.min((index + 1) * height, x.height),
  }));
}

/**
 * @param planes [B inputs, 1, H, W]
 * @returns [B, channels, rows of the strip, W]
 */
function convolveStrip(
  graph: GraphBuilder,
  name: string,
  planes: FeatureMap,
  { from, to }: Strip,
  { value: kernels, channels, inputs }: KernelFactors,
): string {
  const node = (operator: string, values: readonly string[], options?: NodeOptions) =>
    graph.node(name, operator, values, options);
  const reshape = (value: string, ...shape: number[]) => node('Reshape', [value, graph.int64s(shape)]);

  // A kernel sees a row more at each side.
  const [first, last] = [Math.max(from - 1, 0), Math.min(to + 1, planes.height)];
  const slice = () =>
    node('Slice', [planes.value, ...[first, last, 2].map((number) => graph.int64s([number]))]);
  const height = last - first;
  const seen = height === planes.height ? planes : { ...planes, value: slice(), height };

  // Tile by tile: [B inputs, 36, rows, columns].
  const matrix = graph.floats(MATRICES.window, [PRODUCTS, 1, WINDOW, WINDOW]);
  const windows = convolve(graph, name, seen, [matrix], {
    channels: PRODUCTS,
    kernel: WINDOW,
    stride: TILE,
    padding: [first === from ? 1 : 0, 1, last === to ? 1 : 0, 1],
  });
  const { height: rows, width: columns } = windows;
  const perChannel = reshape(windows.value, -1, inputs, PRODUCTS, rows * columns);
  const factors = node('Transpose', [perChannel], { attributes: { perm: { ints: [0, 2, 1, 3] } } });
  // [B, 36, channels, tiles]
  const products = reshape(node('MatMul', [kernels, factors]), -1, PRODUCTS, channels * rows * columns);
  const results = node('MatMul', [graph.floats(MATRICES.results, [RESULTS, PRODUCTS]), products]);
  return node('DepthToSpace', [reshape(results, -1, RESULTS * channels, rows, columns)], {
    attributes: { blocksize: { int: TILE }, mode: { string: 'DCR' } },
  });
}
