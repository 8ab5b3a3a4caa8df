import { AppError } from '../../errors/app-error.js';
import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { ElementType } from '../../onnx/model.js';
import type { StoredTensor } from '../../weights/safetensors-header.js';

const STORED_TYPES: Readonly<Record<string, ElementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
};

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
  const type = STORED_TYPES[tensor.dtype];
  if (!type) {
    throw new AppError(
      'UNSUPPORTED',
      `${tensor.file}: tensor "${tensor.name}" has type ${tensor.dtype}, not a float`,
    );
  }
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
