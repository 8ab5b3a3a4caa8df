import { describe, expect, it } from 'vitest';
import { randomSeed } from '../../lib/random/random-seed.js';

describe('randomSeed', () => {
  it('uses every one of 32 bits and no more', () => {
    const seeds = Array.from({ length: 500 }, randomSeed);
    // Each bit is missed with a chance of 2^-499.
    let ones = 0n;
    let zeros = 0n;
    for (const seed of seeds) {
      ones |= BigInt(seed);
      zeros |= ~BigInt(seed) & (2n ** 32n - 1n);
    }
    expect(ones).toBe(2n ** 32n - 1n);
    expect(zeros).toBe(2n ** 32n - 1n);
  });
});
