import { type FileHandle, open } from 'node:fs/promises';
import { type NormalBlocks, uniformNumbers } from '../normal-blocks.js';
import type { TensorShapes } from './sd-turbo-tensors.js';

export interface WriteRandomSafetensorsProps {
  readonly path: string;
  readonly shapes: TensorShapes;
  readonly seed: number;
  /** Shared between files, so that each deviation is computed once. */
  readonly blocks: NormalBlocks;
}

const BYTES_PER_NUMBER = 2;

export function countNumbers(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The header as the safetensors library writes it for float16: sorted names, padded to 8 bytes. */
export function encodeFloat16Header(shapes: TensorShapes): Buffer {
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, shape] of sorted(shapes)) {
    const end = offset + countNumbers(shape) * BYTES_PER_NUMBER;
    entries[name] = { dtype: 'F16', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(entries);
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8, ' '), 'latin1');
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header]);
}

/** Writes float16 weights under which activations keep about their size; memory stays bounded. */
export async function writeRandomSafetensors(props: WriteRandomSafetensorsProps): Promise<void> {
  const uniform = uniformNumbers(props.seed);
  const file = await open(props.path, 'w');
  try {
    await file.writeFile(encodeFloat16Header(props.shapes));
    for (const [name, shape] of sorted(props.shapes)) {
      const block = props.blocks.get(...distribution(name, shape));
      const start = Math.floor((uniform() * block.length) / BYTES_PER_NUMBER) * BYTES_PER_NUMBER;
      await writeRepeated(file, block, start, countNumbers(shape) * BYTES_PER_NUMBER);
    }
  } finally {
    await file.close();
  }
}

function sorted(shapes: TensorShapes): [string, readonly number[]][] {
  return [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** @returns mean and standard deviation */
function distribution(name: string, shape: readonly number[]): [number, number] {
  // AutoencoderTiny's last layer makes colours from 0 to 1; chosen so that few of them are clipped.
  const isTaesdColour = name.startsWith('decoder.layers.18.');
  const gain = isTaesdColour ? 0.3 : 1;
  if (name.endsWith('.bias')) return [isTaesdColour ? 0.75 : 0, 0.05];
  if (shape.length === 1) return [1, 0.1];
  if (name.includes('embedding.weight')) return [0, 1];
  return [0, gain / Math.sqrt(countNumbers(shape.slice(1)))];
}

async function writeRepeated(
  file: FileHandle,
  block: Uint8Array,
  start: number,
  length: number,
): Promise<void> {
  let from = start;
  let left = length;
  while (left > 0) {
    const piece = block.subarray(from, Math.min(block.length, from + left));
    await file.writeFile(piece);
    left -= piece.length;
    from = 0;
  }
}
