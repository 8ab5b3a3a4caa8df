import { expect, test } from 'vitest';
import { fingerprint } from '../../lib/predictions/fingerprint.js';
import { predictRequestSchema } from '../../lib/schemas/request.js';

const parse = (body: unknown) => fingerprint(predictRequestSchema.parse(body));

test('the order of fields and what was left to a default do not matter', () => {
  const plain = parse({ prompt: 'a boat', seed: 7 });
  expect(parse({ seed: 7, prompt: 'a boat' })).toBe(plain);
  expect(parse({ decoder: 'vae', num_images: 1, prompt: ' a boat ', num_steps: 1, seed: 7 })).toBe(plain);
  expect(parse({ prompt: 'a boat', seed: 7, webhook: undefined })).toBe(plain);
  expect(parse({ prompt: 'a boat', seed: -0 })).toBe(parse({ prompt: 'a boat', seed: 0 }));
});

test('every field tells requests apart', () => {
  const prints = [
    {},
    { prompt: 'a house' },
    { num_steps: 2 },
    { seed: 0 },
    { seed: 1 },
    { num_images: 2 },
    { output_format: 'jpeg' },
    { decoder: 'taesd' },
    { webhook: 'https://example.com/' },
  ].map((field) => parse({ prompt: 'a boat', ...field }));
  expect(new Set(prints).size).toBe(prints.length);
});

test('holds nothing of the prompt', () => {
  expect(parse({ prompt: 'a boat' })).toMatch(/^[0-9a-f]{64}$/);
});
