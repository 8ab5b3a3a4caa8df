import { expect } from 'vitest';
import type { TestTensor } from './read-safetensors.js';

/** The largest difference between two tensors, in parts of the largest magnitude of the expected one. */
export function relativeDifference(got: Float32Array, expected: TestTensor): number {
  expect(got).toHaveLength(expected.data.length);
  let largest = 0;
  let difference = 0;
  for (const [index, value] of expected.data.entries()) {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - (got[index] as number)));
  }
  return difference / largest;
}
