import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CudaOperators,
  type CudaOperatorsOptions,
} from '../../../lib/export/dialects/cuda/cuda-operators.js';
import type { Operators } from '../../../lib/export/dialects/operators.js';
import { StandardOperators } from '../../../lib/export/dialects/standard-operators.js';
import type { WinogradLimits } from '../../../lib/export/dialects/winograd-convolution.js';
import { RewrittenWeights } from '../../../lib/export/rewrite/rewritten-weights.js';
import { WeightPlan } from '../../../lib/export/rewrite/weight-plan.js';
import { type WeightScope, WeightStore } from '../../../lib/export/weight-scope.js';
import { encodeModel } from '../../../lib/onnx/encode-model.js';
import { GraphBuilder } from '../../../lib/onnx/graph-builder.js';
import type { Graph } from '../../../lib/onnx/model.js';
import { floatToHalf, halfToFloat } from '../../../lib/runtime/half.js';
import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import {
  readSafetensorsHeader,
  type StoredTensor,
} from '../../../lib/weights/checkpoint/safetensors-header.js';
import { writeRandomSafetensors } from '../../bench/checkpoint/write-random-safetensors.js';
import { NormalBlocks } from '../../bench/normal-blocks.js';
import { openDirectory } from '../weights/open-directory.js';

export type Describe = (ops: Operators, root: WeightScope) => void;

/** Has every float16 tensor that is asked for, at no place. */
class AnyWeights extends WeightStore {
  readonly shapes = new Map<string, readonly number[]>();

  constructor() {
    super('any', { files: [], tensors: new Map() });
  }

  override take(name: string, shape: readonly number[]): StoredTensor {
    this.shapes.set(name, shape);
    const length = shape.reduce((product, extent) => product * extent, 2);
    return { name, file: 'any.safetensors', dtype: 'F16', shape, offset: 0, length };
  }
}

export interface Described {
  readonly graph: Graph;
  readonly plan: WeightPlan;
  /** Of every tensor that the network asks for. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** The graph of a network in the dialect `cuda`, from its config alone. */
export function describeCuda(describe: Describe, options: CudaOperatorsOptions = {}): Described {
  const builder = new GraphBuilder('network');
  const plan = new WeightPlan('weights.bin');
  const weights = new AnyWeights();
  describe(new CudaOperators(builder, plan, options), weights.root());
  return { graph: builder.build(), plan, shapes: weights.shapes };
}

/** How often each operator is in a graph. */
export function countOperators(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operator } of graph.nodes) counts[operator] = (counts[operator] ?? 0) + 1;
  return counts;
}

const WEIGHTS = 'random.safetensors';

/**
 * Writes random float16 weights for a network, by its description; the same for the same seed.
 *
 * @param factorOf multiplies a tensor's numbers
 */
export async function writeWeights(
  folder: string,
  describe: Describe,
  seed = 1,
  factorOf: (name: string) => number = () => 1,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, WEIGHTS);
  const shapes = new Map(describeCuda(describe).shapes);
  await writeRandomSafetensors({ path, shapes, seed, blocks: new NormalBlocks(seed) });
  const file = readFileSync(path);
  for (const { name, offset, length } of await readSafetensorsHeader(openDirectory(folder), WEIGHTS)) {
    const factor = factorOf(name);
    for (let at = offset; factor !== 1 && at < offset + length; at += 2)
      file.writeUInt16LE(floatToHalf(halfToFloat(file.readUInt16LE(at)) * factor), at);
  }
  writeFileSync(path, file);
}

/** Writes the graph of a network beside its weights, and what the dialect makes of them. @returns its path */
export async function writeNetwork(
  folder: string,
  name: string,
  describe: Describe,
  dialect: 'standard' | 'cuda',
  options: CudaOperatorsOptions & { readonly winograd?: readonly WinogradLimits[] } = {},
): Promise<string> {
  const reader = openDirectory(folder);
  const tensors = await readSafetensorsHeader(reader, WEIGHTS);
  const weights = { files: [WEIGHTS], tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
  const builder = new GraphBuilder('network');
  const plan = new WeightPlan(`${name}.bin`);
  const operators =
    dialect === 'cuda'
      ? new CudaOperators(builder, plan, options)
      : new StandardOperators(builder, { precision: 'float32', plan, ...options });
  describe(operators, new WeightStore(folder, weights).root());
  if (plan.size > 0) {
    const source = new RewrittenWeights({ plan, reader, folder: '' });
    const rewritten = new CheckpointReader(source, { retries: 0 });
    writeFileSync(join(folder, plan.file), await rewritten.readSmall(plan.file, plan.size));
  }
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, encodeModel(builder.build()));
  return path;
}

/** The float16 numbers that `writeWeights` wrote, by tensor. */
export async function readWeights(folder: string): Promise<Map<string, number[]>> {
  const reader = openDirectory(folder);
  const numbers = new Map<string, number[]>();
  for (const { name, offset, length } of await readSafetensorsHeader(reader, WEIGHTS)) {
    const bytes = await reader.readRange(WEIGHTS, { start: offset, end: offset + length });
    numbers.set(name, Array.from(new Uint16Array(Uint8Array.from(bytes).buffer), halfToFloat));
  }
  return numbers;
}
