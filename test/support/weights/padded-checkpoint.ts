import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../reference.js';

export const PADDED_FILE = 'text_encoder/model.safetensors';

/** Some checkpoints have it, and nothing is computed with it. */
const UNUSED = 'text_projection.weight';

/** The demo model's checkpoint with so much more in one of its files: several chunks of a download. */
export function writePaddedCheckpoint(folder: string, paddingBytes: number): void {
  cpSync(join(ROOT, 'lib/demo-model/model'), folder, { recursive: true });
  const path = join(folder, PADDED_FILE);
  const file = readFileSync(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, headerEnd));
  const start = file.length - headerEnd;
  header[UNUSED] = {
    dtype: 'F16',
    shape: [paddingBytes / 2],
    data_offsets: [start, start + paddingBytes],
  };
  const text = JSON.stringify(header);
  // Tensors begin at a multiple of eight bytes.
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(path, Buffer.concat([length, padded, file.subarray(headerEnd), Buffer.alloc(paddingBytes)]));
}
