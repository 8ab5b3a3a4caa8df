import { encodeHalves } from '../../runtime/half.js';
import type { StoredDtype } from '../../weights/checkpoint/safetensors-header.js';
import { type Phase, sumTaps } from './upsampled-kernels.js';

export interface Conversion {
  readonly type: 'float16' | 'float32';
  /** A power of two. */
  readonly factor: number;
  /** Added after the factor. */
  readonly addends: readonly Float32Array[];
  /** Of the sums that take the place of 3x3 kernels. @default kernels stay as they are */
  readonly phase?: Phase | undefined;
}

export interface Converted {
  readonly numbers: Uint16Array | Float32Array;
  /** Where the first number is for which the type has no room, or which is none. */
  readonly unfit: number | undefined;
}

/** float16 and float32 have all ones here for what is not a finite number. */
const HALF_EXPONENT = 0x7c00;

/** @param bytes little-endian numbers, aligned as their type asks */
export function convertNumbers(bytes: Uint8Array, dtype: StoredDtype, how: Conversion): Converted {
  const { type, factor, addends, phase } = how;
  if (phase) return roundSums(sumTaps(decodeNumbers(bytes, dtype), phase), type, factor);
  if (dtype === 'F16' && type === 'float16' && factor === 1 && addends.length === 0) {
    const numbers = view(Uint16Array, bytes);
    return { numbers, unfit: indexOfInfinite(numbers) };
  }
  const floats = decodeFloats(bytes, dtype);
  const computed = factor === 1 && addends.length === 0 ? floats : floats.map((value) => value * factor);
  for (const addend of addends)
    for (let index = 0; index < computed.length; index++)
      computed[index] = (computed[index] as number) + (addend[index] as number) * factor;
  const numbers = type === 'float16' ? encodeHalves(computed) : computed;
  return { numbers, unfit: indexOfInfinite(numbers) };
}

/** The numbers of stored floats, rounded to float32 where they are longer. */
export function decodeFloats(bytes: Uint8Array, dtype: StoredDtype): Float32Array {
  const numbers = decodeNumbers(bytes, dtype);
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

function decodeNumbers(bytes: Uint8Array, dtype: StoredDtype): Float32Array | Float64Array {
  switch (dtype) {
    case 'F16':
      return decodeHalves(view(Uint16Array, bytes));
    case 'BF16': {
      // The upper half of a float32.
      const bits = Uint32Array.from(view(Uint16Array, bytes), (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
    case 'F64':
      return view(Float64Array, bytes);
    default:
      return view(Float32Array, bytes);
  }
}

function roundSums(sums: Float64Array, type: Conversion['type'], factor: number): Converted {
  const scaled = factor === 1 ? sums : sums.map((sum) => sum * factor);
  const numbers = type === 'float16' ? encodeHalves(roundToOdd(scaled)) : Float32Array.from(scaled);
  return { numbers, unfit: indexOfInfinite(numbers) };
}

/**
 * What is between two float32 becomes that of them whose last bit is 1: never the middle between two float16, so that
 * rounding it to float16 gives what rounding the number itself would have given.
 */
function roundToOdd(numbers: Float64Array): Float32Array {
  const nearest = Float32Array.from(numbers);
  const bits = new Uint32Array(nearest.buffer);
  for (let index = 0; index < nearest.length; index++) {
    const [number, near] = [numbers[index] as number, nearest[index] as number];
    if (number === near || !Number.isFinite(near) || ((bits[index] as number) & 1) === 1) continue;
    bits[index] = (bits[index] as number) + (Math.abs(number) > Math.abs(near) ? 1 : -1);
  }
  return nearest;
}

/** Every row goes from [channels, pixels] to [pixels, channels]. */
export function putChannelsLast<T extends Uint16Array | Float32Array>(
  numbers: T,
  channels: number,
  pixels: number,
): T {
  const result = numbers.slice() as T;
  const row = channels * pixels;
  for (let start = 0; start < numbers.length; start += row)
    for (let channel = 0; channel < channels; channel++)
      for (let pixel = 0; pixel < pixels; pixel++)
        result[start + pixel * channels + channel] = numbers[start + channel * pixels + pixel] as number;
  return result;
}

/** Bits 13 further to the left are a float32 whose exponent is too small by 112; so are subnormal ones. Exact. */
function decodeHalves(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  const floats = new Float32Array(bits.buffer);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index] as number;
    bits[index] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    floats[index] = (floats[index] as number) * 2 ** 112;
    if ((half & HALF_EXPONENT) === HALF_EXPONENT)
      floats[index] = half & 0x3ff ? Number.NaN : (floats[index] as number) * Number.POSITIVE_INFINITY;
  }
  return floats;
}

function indexOfInfinite(numbers: Uint16Array | Float32Array): number | undefined {
  if (numbers instanceof Uint16Array) {
    for (let index = 0; index < numbers.length; index++)
      if (((numbers[index] as number) & HALF_EXPONENT) === HALF_EXPONENT) return index;
    return undefined;
  }
  const index = numbers.findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : index;
}

function view<T>(type: new (buffer: ArrayBuffer, offset: number, length: number) => T, bytes: Uint8Array): T {
  const size = (type as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
}
