import { describe, expect, it } from 'vitest';
import { Mt19937 } from '../../lib/random/mt19937.js';

describe('Mt19937', () => {
  it('gives the 10000th number that the C++ standard names for seed 5489', () => {
    const engine = new Mt19937(5489);
    for (let i = 0; i < 9999; i++) engine.nextUint32();
    expect(engine.nextUint32()).toBe(4123659995);
  });

  it('takes the low 32 bits of a seed', () => {
    const draw = (seed: number) => {
      const engine = new Mt19937(seed);
      return Array.from({ length: 1000 }, () => engine.nextUint32());
    };
    expect(draw(2 ** 52 + 7)).toEqual(draw(7));
    expect(draw(8)).not.toEqual(draw(7));
  });
});
