/** Prime, so that the rows of a weight, whose lengths it does not divide, are never copies of each other. */
export const BLOCK_LENGTH = 1_048_573;

/** @returns the bits of the nearest float16 (ties to even) of numbers whose magnitude is below 65,520 */
export function toFloat16(numbers: Float32Array): Uint16Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, (float, i) => {
    const sign = (float >>> 16) & 0x8000;
    const magnitude = float & 0x7fffffff;
    // Below 2^-14 float16 counts in steps of 2^-24.
    if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(numbers[i] as number) * 2 ** 24);
    return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
  });
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** mulberry32: uniform numbers in [0, 1). */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * One block of normal numbers, handed out in float16 at any mean and deviation. Drawing 1.3 billion
 * numbers would take minutes; random weights for timing may repeat.
 */
export class NormalBlocks {
  readonly #normal: Float32Array;
  readonly #scaled = new Map<string, Uint8Array>();

  constructor(seed: number) {
    const uniform = uniformNumbers(seed);
    this.#normal = Float32Array.from({ length: BLOCK_LENGTH }, () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    });
  }

  /** @returns `BLOCK_LENGTH` float16 numbers as little-endian bytes */
  get(mean: number, deviation: number): Uint8Array {
    const key = `${mean} ${deviation}`;
    let bytes = this.#scaled.get(key);
    if (bytes === undefined) {
      bytes = new Uint8Array(toFloat16(this.#normal.map((normal) => mean + deviation * normal)).buffer);
      this.#scaled.set(key, bytes);
    }
    return bytes;
  }
}
