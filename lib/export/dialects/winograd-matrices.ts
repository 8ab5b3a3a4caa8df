/**
 * The matrices of F(4, 3), Winograd's minimal filtering with 6 multiplications for 4 neighbouring results of 3 taps
 * instead of 12: results = A ((G taps) * (B numbers)), where * multiplies number by number and the 6 numbers are those that
 * the results see. Source: Toom and Cook's interpolation, as in Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", 2015, with other points.
 */

/** Results of a tile along an axis. */
export const TILE = 4;
const TAPS = 3;
/** Numbers that a tile sees along an axis, and as many products. */
export const WINDOW = TILE + TAPS - 1;

/**
 * Where the polynomials are evaluated, besides at infinity. In float32 a convolution of 512 channels is off by 3e-7 of its
 * largest result when it is summed up as it stands, by 3e-6 with these points and by 11e-6 with 0, 1, -1, 2, -2.
 */
const POINTS = [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2];

type Matrix = readonly (readonly number[])[];

/** For both axes at once, row by row: what is done to a window, to a kernel, and to products. */
export interface WinogradMatrices {
  /** [36, 36]: a window's numbers become factors. */
  readonly window: readonly number[];
  /** [36, 9]: a kernel's taps become factors. */
  readonly kernel: readonly number[];
  /** [16, 36]: products become results. */
  readonly results: readonly number[];
}

export function winogradMatrices(): WinogradMatrices {
  const window = [...POINTS.map((point) => [...withRoots(others(point)), 0]), withRoots(POINTS)];
  const kernel = [...POINTS.map((point) => scaledPowers(point)), atInfinity(TAPS)];
  const results = transpose([...POINTS.map((point) => powers(point, TILE)), atInfinity(TILE)]);
  return { window: bothAxes(window), kernel: bothAxes(kernel), results: bothAxes(results) };
}

/** What makes 1 of the polynomial with the other points for roots, here, times the taps' polynomial. */
function scaledPowers(point: number): number[] {
  const distances = others(point).reduce((product, other) => product * (point - other), 1);
  return powers(point, TAPS).map((power) => power / distances);
}

function others(point: number): number[] {
  return POINTS.filter((other) => other !== point);
}

function powers(point: number, count: number): number[] {
  return Array.from({ length: count }, (_, exponent) => point ** exponent);
}

/** A polynomial's value there is its highest coefficient. */
function atInfinity(count: number): number[] {
  return Array.from({ length: count }, (_, exponent) => (exponent === count - 1 ? 1 : 0));
}

/** Coefficients, lowest first, of the polynomial with these roots and the highest coefficient 1. */
function withRoots([root, ...rest]: readonly number[]): number[] {
  if (root === undefined) return [1];
  const polynomial = withRoots(rest);
  return [0, ...polynomial].map((higher, exponent) => higher - root * (polynomial[exponent] ?? 0));
}

function transpose(matrix: Matrix): Matrix {
  return (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] as number));
}

/** The Kronecker product of a matrix with itself, row by row. */
function bothAxes(matrix: Matrix): number[] {
  return matrix.flatMap((rowFactors) =>
    matrix.flatMap((columnFactors) => rowFactors.flatMap((y) => columnFactors.map((x) => y * x))),
  );
}
