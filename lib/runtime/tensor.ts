import { AppError } from '../errors/app-error.js';
import { floatToHalf, halfToFloat } from './half.js';

/** Element types that the graphs of this family take and give. */
export type TensorType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8';

/** A dense row-major tensor as it crosses to the session thread and back. float16 is held as raw bits. */
export interface TensorData {
  readonly type: TensorType;
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;
  readonly dims: readonly number[];
}

/** Brings numbers to the element type that a graph's input asks for. */
export function toTensor(
  values: Float32Array | Int32Array,
  type: string,
  dims: readonly number[],
): TensorData {
  switch (type) {
    case 'float32':
      return { type, data: Float32Array.from(values), dims };
    case 'float16':
      return { type, data: Uint16Array.from(values, floatToHalf), dims };
    case 'int32':
      return { type, data: Int32Array.from(values), dims };
    case 'int64':
      return {
        type,
        data: BigInt64Array.from(values as ArrayLike<number>, (value) => BigInt(Math.trunc(value))),
        dims,
      };
    default:
      throw new AppError('UNSUPPORTED', `the graph asks for ${type} numbers, which is not supported`);
  }
}

/** The numbers of a float32 or float16 output. */
export function toFloats({ type, data }: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array) return Float32Array.from(data, halfToFloat);
  throw new AppError('UNSUPPORTED', `the graph gives ${type} numbers where floats are expected`);
}
