import { AppError } from '../../errors/app-error.js';
import type { ByteRange } from '../bytes/byte-range.js';
import type { ChunkCheck } from '../bytes/chunk-check.js';
import { quoteName } from '../bytes/quote-name.js';
import type { CheckpointReader } from './checkpoint-reader.js';
import type { StoredDtype, StoredTensor } from './safetensors-header.js';

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
      if ((high & mask) === mask) return nonFinite(chunk.subarray(at - start, at - start + bytes), mask);
    }
    if (at >= last) return undefined;
    // It ends in the next chunk: in files whose header is no multiple of 8 bytes.
    return nonFinite(await reader.readRange(path, { start: at, end: at + bytes }), mask);
  }
}

/**
 * @param bytes of one number
 * @param mask of its exponent, in its last two bytes
 */
function nonFinite(bytes: Uint8Array, mask: number): number | undefined {
  const top = bytes.length - 1;
  const high = ((bytes[top] as number) << 8) | (bytes[top - 1] as number);
  if ((high & mask) !== mask) return undefined;
  const sign = 0x8000;
  const isNone = (high & ~mask & ~sign) !== 0 || bytes.subarray(0, top - 1).some((byte) => byte !== 0);
  if (isNone) return Number.NaN;
  return high & sign ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
