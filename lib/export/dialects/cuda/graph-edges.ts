import { ELEMENT_TYPE, type ValueInfo } from '../../../onnx/model.js';
import type { FeatureMap, Rows } from '../operators.js';
import { outputMean } from '../output-mean.js';
import type { CudaGraph } from './cuda-graph.js';

const BATCH = 'batch';

/**
 * A product with the identity turns NCHW into NHWC: for the few channels of latents it costs one small kernel, as a
 * Transpose does, and so any Transpose in a graph of this dialect is a mistake.
 */
export function inputMap(
  graph: CudaGraph,
  name: string,
  channels: number,
  height: number,
  width: number,
): FeatureMap {
  const input = graph.builder.input(name, 'float32', [BATCH, channels, height, width]);
  const planes = graph.reshape(name, graph.cast(name, input, 'float16'), [0, channels, height * width]);
  graph.setPlanes(planes);
  const rows = graph.matMul(name, planes, identity(graph, channels), { transA: { int: 1 } });
  return { value: graph.reshape(name, rows, [0, height, width, channels]), channels, height, width };
}

export function inputRows(graph: CudaGraph, name: string, length: number, width: number): Rows {
  const input = graph.builder.input(name, 'float32', [BATCH, length, width]);
  return { value: graph.cast(name, input, 'float16'), width };
}

/** @param x whose `value` is in the graph */
export function outputMap(graph: CudaGraph, name: string, x: FeatureMap): void {
  const { channels, height, width } = x;
  const rows = graph.reshape(name, x.value, [0, height * width, channels]);
  const planes = graph.matMul(name, identity(graph, channels), rows);
  const map = graph.reshape(name, planes, [0, channels, height, width]);
  output(graph, { name, type: 'float32', shape: [BATCH, channels, height, width] }, map);
}

/** @param x whose `value` is in the graph */
export function outputRows(graph: CudaGraph, name: string, length: number, x: Rows): void {
  output(graph, { name, type: 'float32', shape: [BATCH, length, x.width] }, x.value);
}

/**
 * @param x whose `value` is in the graph
 * @param scale what it holds is so many times what it should be
 */
export function outputPixels(graph: CudaGraph, name: string, x: FeatureMap, scale: number): void {
  const scalar = (value: number) => graph.builder.floats([value], []);
  const node = (operator: string, inputs: readonly string[]) => graph.node(name, operator, inputs);
  // As diffusers, (x / 2 + 0.5) * 255, rounded half to even. In float32: 8 bits are most of float16's 11.
  const wide = graph.cast(name, x.value, 'float32');
  const scaled = node('Mul', [wide, scalar(127.5 / scale)]);
  const shifted = node('Add', [scaled, scalar(127.5)]);
  const rounded = node('Round', [node('Clip', [shifted, scalar(0), scalar(255)])]);
  output(graph, { name, type: 'uint8', shape: [BATCH, x.height, x.width, x.channels] }, rounded);
  outputMean(graph.builder, name, shifted);
}

function output({ builder }: CudaGraph, info: ValueInfo, value: string): void {
  builder.outputNode(info, 'Cast', [value], { attributes: { to: { int: ELEMENT_TYPE[info.type] } } });
}

function identity({ builder }: CudaGraph, size: number): string {
  const numbers = Array.from({ length: size ** 2 }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  return builder.halves(numbers, [size, size]);
}
