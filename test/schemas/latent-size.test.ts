import { expect, test } from 'vitest';
import { latentSize } from '../../lib/schemas/latent-size.js';

// What StableDiffusionPipeline of diffusers 0.42.1 takes for height / vae_scale_factor and width / vae_scale_factor.
test.each([
  [24, '0.42.1', [24, 24]],
  [24, undefined, [24, 24]],
  [24, '0.8.1', [64, 64]],
  [96, '0.8.1', [96, 96]],
  [24, '0.9.0.dev0', [24, 24]],
  [24, '0.10.2', [24, 24]],
  [[24, 40] satisfies [number, number], '0.8.1', [24, 40]],
])('sample_size %j written by diffusers %s is %j', (sample_size, _diffusers_version, size) => {
  expect(latentSize({ sample_size: sample_size as number | [number, number], _diffusers_version })).toEqual(
    size,
  );
});
