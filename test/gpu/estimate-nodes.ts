import { KNOWN_TFLOPS, T4 } from './estimate-t4.js';
import type { Driven, NodeWork } from './stand-in.js';

const BYTES_PER_SECOND = T4.gigabytesPerSecond * 1e9;

/** What a network's nodes ask of a T4, by ONNX Runtime's trace and what is known of the kernels. */
export interface NodesEstimate {
  readonly tflop: number;
  readonly gigabytes: number;
  /** Of each node's products at the rate that ONNX Runtime is known to have reached, or of its memory traffic. */
  readonly milliseconds: number;
}

/**
 * @param work of one picture
 * @param pictures in one run: they share the reading of the parameters, and nothing else
 */
export function estimateNodes({ work }: Pick<Driven, 'work'>, pictures = 1): NodesEstimate {
  let [flop, bytes, seconds] = [0, 0, 0];
  for (const node of work) {
    const shared = node.operator === 'Reshape' ? 0 : node.parameters;
    const ofProducts = pictures * products(node);
    const moved = shared + pictures * (traffic(node) - shared);
    const ofBias = pictures * biasTraffic(node);
    flop += ofProducts;
    bytes += moved + ofBias;
    seconds +=
      Math.max(ofProducts / (KNOWN_TFLOPS * 1e12), moved / BYTES_PER_SECOND) + ofBias / BYTES_PER_SECOND;
  }
  return { tflop: flop / 1e12, gigabytes: bytes / 1e9, milliseconds: seconds * 1000 };
}

/** Floating-point operations in matrix products. */
function products({ operator, inputShapes, outputShapes }: NodeWork): number {
  const [first = [], second = []] = inputShapes;
  const [output = []] = outputShapes;
  switch (operator) {
    case 'NhwcConv':
      return 2 * size(output) * size(second.slice(1));
    case 'FusedMatMul':
      return (2 * size(output) * size(first)) / size(output.slice(0, -1));
    case 'MultiHeadAttention':
      return 4 * size(output) * tokensOfKeys(first, second);
    default:
      return 0;
  }
}

/** Bytes that cross the memory where nothing stays in a cache. */
function traffic({ operator, activations, parameters, outputs, inputShapes }: NodeWork): number {
  const once = activations + parameters + outputs;
  const map = 2 * size(inputShapes[0] ?? []);
  switch (operator) {
    // The same memory under another shape.
    case 'Reshape':
      return 0;
    // A pass for the sums, and one that reads again and scales.
    case 'GroupNorm':
      return once + map;
    // As above; the first pass writes what it has added up, whether somebody reads it or not, and the second reads that.
    case 'SkipGroupNorm':
      return activations + parameters + 3 * map;
    default:
      return once;
  }
}

/** After a convolution cudnnAddTensor reads and writes what it has written: a pass of its own, which hides nowhere. */
function biasTraffic({ operator, inputShapes, outputs }: NodeWork): number {
  return operator === 'NhwcConv' && inputShapes.length > 2 ? 2 * outputs : 0;
}

/** Packed queries, keys and values are [B, S, heads, 3, size], keys and values [B, S, heads, 2, size]. */
function tokensOfKeys(first: readonly number[], second: readonly number[]): number {
  return (second.length > 0 ? second : first)[1] ?? 0;
}

function size(extents: readonly number[]): number {
  return extents.reduce((product, extent) => product * extent, 1);
}
