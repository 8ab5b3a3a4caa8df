import { AppError } from '../errors/app-error.js';
import type { ChunkCheck } from '../weights/bundle/bundle-entry.js';
import type { ByteRange } from '../weights/bytes/byte-range.js';
import { quoteName } from '../weights/bytes/quote-name.js';
import type { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import type { StoredDtype, StoredTensor } from '../weights/checkpoint/safetensors-header.js';
import { decodeFloats } from './rewrite/convert-numbers.js';

/** Of a little-endian float's last bytes: its exponent, all ones where it is infinite or no number. */
const EXPONENTS: Partial<Record<StoredDtype, { readonly bytes: number; readonly mask: number }>> = {
  F16: { bytes: 2, mask: 0x7c00 },
  BF16: { bytes: 2, mask: 0x7f80 },
  F32: { bytes: 4, mask: 0x7f80 },
  F64: { bytes: 8, mask: 0x7ff0 },
};

/**
 * Looks for numbers that are none in weights that are copied as they are, while they pass.
 *
 * @param tensors of the file
 * @param path of the file in the reader's source
 * @returns fails with AppError INVALID_FILE, which names the tensor and the number
 */
export function checkNumbers(
  tensors: readonly StoredTensor[],
  reader: CheckpointReader,
  path: string,
): ChunkCheck {
  return async (chunk, range) => {
    for (const tensor of tensors) {
      const found = EXPONENTS[tensor.dtype] && (await findBad(tensor, chunk, range));
      if (found === undefined) continue;
      throw new AppError(
        'INVALID_FILE',
        `${reader.nameOf(path)}: tensor ${quoteName(tensor.name)} holds ${found}, which is not a number to compute with`,
      );
    }
  };

  /** The first bad number of a tensor that begins in this chunk. */
  async function findBad(
    { dtype, offset, length }: StoredTensor,
    chunk: Uint8Array,
    { start, end }: ByteRange,
  ): Promise<number | undefined> {
    const { bytes, mask } = EXPONENTS[dtype] as { bytes: number; mask: number };
    const first = offset + Math.ceil(Math.max(0, start - offset) / bytes) * bytes;
    const last = Math.min(end, offset + length);
    let at = first;
    for (; at + bytes <= last; at += bytes) {
      const top = at - start + bytes - 1;
      const high = ((chunk[top] as number) << 8) | (chunk[top - 1] as number);
      if ((high & mask) === mask) return numberOf(chunk.subarray(at - start, at - start + bytes), dtype);
    }
    if (at >= last) return undefined;
    // It ends in the next chunk: in files whose header is no multiple of 8 bytes.
    const split = await reader.readRange(path, { start: at, end: at + bytes });
    const number = numberOf(split, dtype);
    return Number.isFinite(number) ? undefined : number;
  }
}

/** @param bytes of one number, at any place in memory */
function numberOf(bytes: Uint8Array, dtype: StoredDtype): number {
  return decodeFloats(Uint8Array.from(bytes), dtype)[0] as number;
}
