import { readFileSync } from 'node:fs';

export interface TestTensor {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Reads a whole .safetensors file of float32 and int32 tensors: for the reference files, not for untrusted ones. */
export function readSafetensors(path: string): Map<string, TestTensor> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, HeaderEntry>;
  const tensors = new Map<string, TestTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    // A copy of its own is aligned; a view into the file need not be.
    const bytes = new Uint8Array(file.subarray(start + entry.data_offsets[0], start + entry.data_offsets[1]));
    if (entry.dtype !== 'F32' && entry.dtype !== 'I32') {
      throw new Error(
        `${path}: tensor ${name} has type ${entry.dtype}, which this test helper does not read`,
      );
    }
    const data = entry.dtype === 'F32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer);
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data });
  }
  return tensors;
}

/** The float32 data of a tensor that must be there. */
export function float32Tensor(tensors: ReadonlyMap<string, TestTensor>, name: string): Float32Array {
  const data = tensors.get(name)?.data;
  if (!(data instanceof Float32Array)) throw new Error(`no float32 tensor ${name} in the file`);
  return data;
}
