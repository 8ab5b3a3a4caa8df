import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { ElementType } from '../../onnx/model.js';
import type { Precision } from '../../schemas/manifest.js';
import type { StoredTensor } from '../../weights/checkpoint/safetensors-header.js';
import { type Phase, summedShape } from '../rewrite/upsampled-kernels.js';
import type { WeightPlan } from '../rewrite/weight-plan.js';
import { FLOAT_TYPES } from '../weight-scope.js';

/** Consecutive entries along a tensor's first dimension. */
export interface RowRange {
  readonly start: number;
  readonly rows: number;
}

/** Adds a stored tensor to the graph as it lies in its safetensors file. Returns its name and element type. */
export function storedInitializer(
  graph: GraphBuilder,
  tensor: StoredTensor,
  range?: RowRange,
): { name: string; type: ElementType } {
  // A scope gives out floats only.
  const type = FLOAT_TYPES.get(tensor.dtype) as ElementType;
  const { start, rows } = range ?? { start: 0, rows: tensor.shape[0] ?? 1 };
  const rowBytes = tensor.length / (tensor.shape[0] ?? 1);
  const name = range ? `${tensor.name}[${start}:${start + rows}]` : tensor.name;
  const shape = range ? [rows, ...tensor.shape.slice(1)] : tensor.shape;
  graph.external(name, type, shape, {
    location: tensor.file,
    offset: tensor.offset + start * rowBytes,
    length: rows * rowBytes,
  });
  return { name, type };
}

/** Adds the 2x2 sums of a stored tensor's 3x3 kernels for one phase. Returns its name. */
export function summedInitializer(
  graph: GraphBuilder,
  plan: WeightPlan,
  tensor: StoredTensor,
  type: Precision,
  phase: Phase,
): string {
  const name = `${tensor.name}/phase${phase.join('')}`;
  const shape = summedShape(tensor.shape);
  return graph.external(
    name,
    type,
    shape,
    plan.add({ name, type, shape, sources: [tensor], phases: [phase] }),
  );
}
