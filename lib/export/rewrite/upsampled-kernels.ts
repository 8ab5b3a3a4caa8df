/**
 * Behind a nearest neighbour upsampling by 2, a 3x3 convolution sees each number of the small map twice or once in a row
 * and a column. So its results of one parity are those of a 2x2 convolution on the small map, with the sums of the taps
 * that see the same number: 4 multiplications instead of 9.
 */

/** Parity of the results' rows and columns. */
export type Phase = readonly [row: 0 | 1, column: 0 | 1];

/** Row by row, as the results lie. */
export const PHASES: readonly Phase[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

const TAPS = 3;
const SUMS = 2;
/** Which of three taps see the first and which the second number of an axis, by parity. */
const TAPS_OF_SUM = [
  [[0], [1, 2]],
  [[0, 1], [2]],
] as const;

/** Zeros that the small map needs at top, left, bottom, right for as many results as it has numbers. */
export function phasePadding([row, column]: Phase): readonly [number, number, number, number] {
  return [1 - row, 1 - column, row, column];
}

/** A tensor's shape with kernels of sums. */
export function summedShape(shape: readonly number[]): readonly number[] {
  return [...shape.slice(0, -2), SUMS, SUMS];
}

/** @param kernels of 3x3 taps each, one behind the other. @returns kernels of 2x2 sums */
export function sumTaps(kernels: Float32Array | Float64Array, phase: Phase): Float64Array {
  const sums = new Float64Array((kernels.length / TAPS ** 2) * SUMS ** 2);
  for (let at = 0; at < SUMS ** 2; at++) {
    const taps = tapsOf(at, phase);
    for (let to = at, kernel = 0; to < sums.length; to += SUMS ** 2, kernel += TAPS ** 2)
      for (const tap of taps) sums[to] = (sums[to] as number) + (kernels[kernel + tap] as number);
  }
  return sums;
}

/** Where the numbers lie that add up to a sum. */
export function tapsOf(sum: number, [row, column]: Phase): number[] {
  const [kernel, at] = [Math.floor(sum / SUMS ** 2), sum % SUMS ** 2];
  const rows = TAPS_OF_SUM[row][Math.floor(at / SUMS) as 0 | 1];
  const columns = TAPS_OF_SUM[column][(at % SUMS) as 0 | 1];
  return rows.flatMap((y) => columns.map((x) => kernel * TAPS ** 2 + y * TAPS + x));
}
