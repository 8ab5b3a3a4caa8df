import * as z from 'zod';

/** Latents per side; far above the family's largest, and a bound for what a lying config can ask for. */
const side = z.int().min(1).max(1024);

/** The keys of `unet/config.json` that say how large its latents are. */
export const latentSizeKeys = {
  /** One number for a square, or height and width. */
  sample_size: z.union([side, z.tuple([side, side])]),
  _diffusers_version: z.string().optional(),
};

/** Diffusers before 0.9 wrote a size into its configs that the model was not made for. */
const WRITTEN_BEFORE_0_9 = /^0\.[0-8](?!\d)/;
const LEAST_SIDE_BEFORE_0_9 = 64;

/**
 * Height and width of a UNet's latents, as StableDiffusionPipeline of diffusers 0.42 takes them: it does not
 * believe a config of before 0.9 that says less than 64.
 */
export function latentSize(config: {
  readonly sample_size: number | [number, number];
  readonly _diffusers_version?: string | undefined;
}): [height: number, width: number] {
  const { sample_size: size, _diffusers_version: version = '' } = config;
  if (typeof size !== 'number') return size;
  const square = WRITTEN_BEFORE_0_9.test(version) ? Math.max(size, LEAST_SIDE_BEFORE_0_9) : size;
  return [square, square];
}
