import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ort from 'onnxruntime-node';
import { encodeModel } from '../../../lib/onnx/encode-model.js';
import type { Graph } from '../../../lib/onnx/model.js';
import { decodeModel } from './decode-model.js';

export interface Feed {
  readonly data: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

export function readGraph(path: string): Graph {
  return decodeModel(readFileSync(path));
}

/** Runs a graph on the CPU, with weights that lie beside `path`. */
export async function runGraph(
  graph: Graph,
  path: string,
  feeds: Readonly<Record<string, Feed>>,
): Promise<ort.Tensor> {
  const file = join(dirname(path), `run-${process.pid}-${performance.now()}.onnx`);
  writeFileSync(file, encodeModel(graph));
  // As it is: a rounding to float16 and back is no idle pair of casts here.
  const session = await ort.InferenceSession.create(file, { graphOptimizationLevel: 'disabled' });
  try {
    const inputs = Object.entries(feeds).map(([name, { data, dims }]) => {
      const type = data instanceof Int32Array ? 'int32' : 'float32';
      return [name, new ort.Tensor(type, data as never, dims)] as const;
    });
    const outputs = await session.run(Object.fromEntries(inputs));
    return outputs[graph.outputs[0]?.name as string] as ort.Tensor;
  } finally {
    await session.release();
  }
}

/**
 * What a graph gives as floats. A decoder's is taken before it becomes whole levels, as [1, H, W, 3] from 0 to 255: so
 * the dialect `cuda` has it, and `standard` has [1, 3, H, W] from 0 to 1.
 */
export async function runToFloats(
  graph: Graph,
  path: string,
  feeds: Readonly<Record<string, Feed>>,
): Promise<Float32Array> {
  const isPicture = graph.outputs[0]?.type === 'uint8';
  const output = await runGraph(isPicture ? stopBefore(graph, 'Clip') : graph, path, feeds);
  const data = output.data as Float32Array;
  const [, channels, height, width] = output.dims as [number, number, number, number];
  if (!isPicture || channels !== 3) return data;
  const pixels = height * width;
  return data.map((_, at) => 255 * (data[(at % channels) * pixels + Math.floor(at / channels)] as number));
}

/** The same graph with what goes into its only `operator`, a map in float32, as its output. */
export function stopBefore(graph: Graph, operator: string): Graph {
  const [node, ...others] = graph.nodes.filter((each) => each.operator === operator);
  if (!node || others.length > 0) throw new Error(`${operator} is not once in the graph`);
  const shape = ['batch', 'a', 'b', 'c'];
  return { ...graph, outputs: [{ name: node.inputs[0] as string, type: 'float32', shape }] };
}
