/** Numbers that torch's Box-Muller kernel turns at a time. */
export const BLOCK = 16;

const round = Math.fround;

/** The fused float32 multiply-add: the product is exact in float64, the sum practically so. */
const fma = (a: number, b: number, c: number): number => round(a * b + c);

const TWO_PI = round(2 * Math.PI);

// Coefficients of Cephes' logf, sinf and cosf (Stephen Moshier), as in ATen/native/cpu/avx_mathfun.h.
const SQRT_HALF = round(Math.SQRT1_2);
const LOG_FIRST = round(7.0376836292e-2);
const LOG_REST = Float32Array.of(
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const LN2_LOW = round(-2.1219444e-4);
const LN2_HIGH = round(0.693359375);

const FOUR_OVER_PI = round(4 / Math.PI);
const QUARTER_PI_HIGH = round(0.78515625);
const QUARTER_PI_MIDDLE = round(2.4187564849853516e-4);
const QUARTER_PI_LOW = round(3.774894977445941e-8);
const SIN_0 = round(-1.9515295891e-4);
const SIN_1 = round(8.3321608736e-3);
const SIN_2 = round(-1.6666654611e-1);
const COS_0 = round(2.443315711809948e-5);
const COS_1 = round(-1.388731625493765e-3);
const COS_2 = round(4.166664568298827e-2);

/**
 * Turns 16 uniform numbers (multiples of 2^-24 in [0, 1)) into 16 standard normal ones, in place:
 * torch's `NormalFill16<float>` for AVX2. Every operation is rounded, and fused, as in the compiled
 * kernel, because one unit in the last place of the angle already moves a number by up to 2.7e-6.
 */
export function fillNormalBlock(numbers: Float32Array, start: number): void {
  for (let i = start; i < start + BLOCK / 2; i++) {
    const first = numbers[i] as number;
    const second = numbers[i + BLOCK / 2] as number;
    const radius = round(Math.sqrt(-2 * logOfFraction(2 ** 24 - first * 2 ** 24)));
    const angle = round(TWO_PI * second);
    const octant = (Math.trunc(round(angle * FOUR_OVER_PI)) + 1) & ~1;
    let rest = fma(octant, -QUARTER_PI_HIGH, angle);
    rest = fma(octant, -QUARTER_PI_MIDDLE, rest);
    rest = fma(octant, -QUARTER_PI_LOW, rest);
    // The kernel adds the mean, 0, which turns -0 into 0.
    numbers[i] = radius * sineFrom(octant + 2, rest) + 0;
    numbers[i + BLOCK / 2] = radius * sineFrom(octant, rest) + 0;
  }
}

/** ln(n / 2^24) for an integer n in 1..2^24. */
function logOfFraction(n: number): number {
  const bits = 32 - Math.clz32(n);
  let exponent = bits - 24;
  let x = (n << (25 - bits)) / 2 ** 25;
  if (x < SQRT_HALF) {
    exponent -= 1;
    x += x;
  }
  x = round(x - 1);
  let y = LOG_FIRST;
  for (let i = 0; i < LOG_REST.length; i++) y = fma(y, x, LOG_REST[i] as number);
  y = round(y * x);
  const square = round(x * x);
  y = fma(y, square, round(exponent * LN2_LOW));
  y = fma(square, -0.5, y);
  return fma(exponent, LN2_HIGH, round(x + y));
}

/** sin(octant * pi/4 + rest) for an even octant and |rest| <= pi/4. */
function sineFrom(octant: number, rest: number): number {
  const square = round(rest * rest);
  let y: number;
  if ((octant & 2) === 0) {
    y = fma(fma(SIN_0, square, SIN_1), square, SIN_2);
    y = fma(round(y * square), rest, rest);
  } else {
    y = fma(fma(COS_0, square, COS_1), square, COS_2);
    y = fma(round(y * square), square, -0.5 * square);
    y = round(y + 1);
  }
  return (octant & 4) === 0 ? y : -y;
}
