import { describe, expect, test } from 'vitest';
import { newPredictionId, predictionIdOf, seedOf } from '../../lib/predictions/records/prediction-id.js';
import { predictionIdSchema } from '../../lib/schemas/prediction.js';

const ORIGINS = [
  { caller: 'a', key: 'b' },
  { caller: 'b', key: 'a' },
  { caller: 'ab', key: '' },
  { caller: 'a', key: 'B' },
  { caller: 'a","b', key: '' },
];

describe('an id', () => {
  test('is base32 of 20 bytes', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, index) => index * 10);
    // Python 3: base64.b32encode(bytes(range(0, 200, 10))).decode().lower()
    expect(newPredictionId(() => bytes)).toBe('aafbihrigi6emuc2mrxhraums2qkvnf6');
  });

  test('nobody has twice', () => {
    const ids = Array.from({ length: 1_000 }, () => newPredictionId());
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.filter((id) => !predictionIdSchema.safeParse(id).success)).toEqual([]);
  });

  test('of a caller and a key is always the same, and of each pair another', () => {
    const ids = ORIGINS.map(predictionIdOf);
    expect(new Set(ids).size).toBe(ORIGINS.length);
    expect(ORIGINS.map(predictionIdOf)).toEqual(ids);
    expect(ids.filter((id) => !predictionIdSchema.safeParse(id).success)).toEqual([]);
  });
});

test('a seed belongs to a caller and a key, and fits', () => {
  const seeds = ORIGINS.map(seedOf);
  expect(new Set(seeds).size).toBe(ORIGINS.length);
  expect(ORIGINS.map(seedOf)).toEqual(seeds);
  expect(seeds.filter((seed) => !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)).toEqual([]);
});
