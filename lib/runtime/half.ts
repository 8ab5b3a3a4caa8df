/** Converts a number to IEEE 754 binary16 bits, rounding to nearest, ties to even. */
export function floatToHalf(value: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  const single = bits.getUint32(0);
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to infinity
  if (magnitude < 0x38800000) {
    // Subnormal in binary16: units of 2^-24.
    return sign | roundHalfToEven(Math.abs(value) * 2 ** 24);
  }
  const rounded = magnitude + 0x0fff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** As `floatToHalf`, for many numbers. */
export function encodeHalves(values: Float32Array): Uint16Array {
  const singles = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const single = singles[index] as number;
    const magnitude = single & 0x7fffffff;
    // What is not a normal number in binary16 is rare.
    if (magnitude < 0x38800000 || magnitude >= 0x477ff000) {
      halves[index] = magnitude === 0 ? single >>> 16 : floatToHalf(values[index] as number);
      continue;
    }
    const rounded = magnitude + 0x0fff + ((magnitude >>> 13) & 1);
    halves[index] = ((single >>> 16) & 0x8000) | ((rounded - 0x38000000) >>> 13);
  }
  return halves;
}

/** Converts IEEE 754 binary16 bits to a number; exact. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}
