import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSafetensorsHeader } from '../../../lib/weights/checkpoint/safetensors-header.js';
import { openDirectory } from './open-directory.js';

/** Infinity and what is no number, the way they are stored. */
export const BITS = {
  F16: { NaN: 0x7e00, Infinity: 0x7c00 },
  BF16: { NaN: 0x7fc0, Infinity: 0x7f80 },
  F32: { NaN: 0x7fc00000, Infinity: 0x7f800000 },
} as const;

/** Puts what is no number into the middle of a tensor of a .safetensors file. */
export async function plantNumber(
  path: string,
  tensor: string,
  number: 'NaN' | 'Infinity' = 'NaN',
): Promise<void> {
  const file = path.slice(dirname(path).length + 1);
  const tensors = await readSafetensorsHeader(openDirectory(dirname(path)), file);
  const found = tensors.find(({ name }) => name === tensor);
  if (!found) throw new Error(`${path} has no ${tensor}, but ${tensors.map(({ name }) => name).join(', ')}`);
  const { dtype, offset, length, shape } = found;
  const bits = BITS[dtype as keyof typeof BITS][number];
  const bytes = length / shape.reduce((product, extent) => product * extent, 1);
  const at = offset + Math.floor(length / bytes / 2) * bytes;
  const data = readFileSync(join(dirname(path), file));
  data.writeUIntLE(bits, at, bytes);
  writeFileSync(path, data);
}
