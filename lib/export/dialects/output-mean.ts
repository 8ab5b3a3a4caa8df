import type { GraphBuilder } from '../../onnx/graph-builder.js';

/** All but the first. */
const AXES = [1, 2, 3];

/** The mean of each picture of a float32 map, as a graph output: infinity and what is no number go through a sum. */
export function outputMean(graph: GraphBuilder, name: string, map: string): void {
  const info = { name: `${name}_mean`, type: 'float32', shape: ['batch'] } as const;
  graph.outputNode(info, 'ReduceMean', [map, graph.int64s(AXES)], { attributes: { keepdims: { int: 0 } } });
}
