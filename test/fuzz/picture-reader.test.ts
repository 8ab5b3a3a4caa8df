import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startImageDecoder } from '../support/pictures/image-decoder.js';
import { ROOT } from '../support/reference.js';
import { damaged } from './damage.js';
import { readOrRefuse } from './read-or-refuse.js';
import { wholePictures } from './whole-pictures.js';

const decoder = startImageDecoder();
const FINDINGS = join(ROOT, 'test/fuzz/findings');
const SEED = 13;

test('every kind of picture is read', async () => {
  const outcomes: [string, string][] = [];
  for (const [name, bytes] of await wholePictures())
    outcomes.push([name, await readOrRefuse(decoder, bytes)]);
  expect(outcomes.filter(([, outcome]) => outcome !== 'read')).toEqual([]);
});

test('what is damaged is read or refused', async () => {
  const outcomes = new Set<string>();
  const property = fc.asyncProperty(damaged([...(await wholePictures()).values()]), async (bytes) => {
    outcomes.add(await readOrRefuse(decoder, bytes));
  });
  await fc.assert(property, { seed: SEED, numRuns: 400 });
  expect([...outcomes].sort()).toEqual(['read', 'refused']);
});

test.each(readdirSync(FINDINGS))('found before: %s', async (name) => {
  await readOrRefuse(decoder, readFileSync(join(FINDINGS, name)));
});
