import { expect, test } from 'vitest';
import { inputProblem } from '../../lib/schemas/input-names.js';
import { generateRequestSchema } from '../../lib/schemas/request.js';
import {
  describeUnknownField,
  describeWithAll,
} from '../../lib/schemas/unknown-fields/describe-unknown-field.js';
import { nearestName } from '../../lib/schemas/unknown-fields/nearest-name.js';

const WIRE = Object.keys(generateRequestSchema.shape);

test.each([
  ['num_inference_steps', 'is called num_steps here'],
  ['NUM-STEPS', 'is called num_steps here'],
  ['Prompt', 'is called prompt here'],
  ['init_image', 'is called image here'],
  ['denoising_strength', 'is called strength here'],
  ['negativePrompt', 'SD-Turbo has none: it was trained to draw without guidance'],
  ['aspect_ratio', 'pictures have the size that the model has'],
  ['sed', 'is not a field here: did you mean seed?'],
  ['num_stpes', 'is not a field here: did you mean num_steps?'],
  ['decodr', 'is not a field here: did you mean decoder?'],
  // Known elsewhere, and nothing like it here, though "seed" has four of its letters.
  ['callback', 'is not a field here'],
  ['quality', 'is not a field here'],
  ['', 'is not a field here'],
  ['__proto__', 'is not a field here'],
  ['constructor', 'is not a field here'],
  ['x'.repeat(60_000), 'is not a field here'],
])('%.40s %s', (name, said) => {
  expect(describeUnknownField(name, WIRE)).toBe(said);
});

test('a name is what the others of its kind are called in each vocabulary', () => {
  expect(describeUnknownField('num_images', ['prompt', 'n', 'size'])).toBe('is called n here');
  expect(describeUnknownField('n', ['--num-images', '--steps'])).toBe('is called --num-images here');
  expect(inputProblem({ prompt: 'x', num_images: 2 })).toMatch(
    /^num_images: is called numImages here; the fields are prompt, /,
  );
});

test('no name of this service is one that it explains away', () => {
  for (const name of WIRE) expect(describeUnknownField(name, WIRE)).toBe(`is called ${name} here`);
});

test('with all there are', () => {
  expect(describeWithAll('sed', ['prompt', 'seed'])).toBe(
    'is not a field here: did you mean seed? The fields are prompt, seed',
  );
  expect(describeWithAll('cfg', ['prompt', 'seed'])).toMatch(/guidance; the fields are prompt, seed$/);
});

test.each([
  ['prompt', 'promtp', 'prompt'],
  ['a swapped pair is one edit', 'sede', 'seed'],
  ['of two the nearer one', 'num_step', 'num_steps'],
  ['too far', 'colour', undefined],
  ['short names are no others', 'id', undefined],
])('nearest: %s', (_, name, nearest) => {
  expect(nearestName(name, WIRE)).toBe(nearest);
});

test.each([undefined, null, 'a tree', 5])('an input that is none: %j', (input) => {
  expect(inputProblem(input)).toBe("the input must be an object such as { prompt: 'a tree' }");
});
