import { AppError } from '../errors/app-error.js';
import type { RgbImage } from '../image/rgb-image.js';
import { toFloats } from '../runtime/tensor.js';
import { assertNumbers } from './assert-numbers.js';
import type { Network } from './network.js';

const CHANNELS = 3;
const round = Math.fround;
/** Of the logarithm of a variance. Source: diffusers 0.42, DiagonalGaussianDistribution. */
const MIN_LOG_VARIANCE = -30;
const MAX_LOG_VARIANCE = 20;

export interface EncodePictureProps {
  readonly network: Network;
  readonly scalingFactor: number;
  /** As large as the pictures that the decoder gives. */
  readonly picture: RgbImage;
  /** Draws standard normal numbers: the encoder gives a distribution, of which one sample is taken. */
  readonly randn: (count: number) => Float32Array;
}

/**
 * A picture's latents [latent, h, w], scaled as the UNet knows them: diffusers' `vae.encode(image).latent_dist.sample()`.
 *
 * @throws AppError UNSUPPORTED for a graph with another output
 */
export async function encodePicture(
  props: EncodePictureProps,
): Promise<{ latents: Float32Array; milliseconds: number }> {
  const { network, scalingFactor, picture, randn } = props;
  const { width, height } = picture;
  const sample = { values: toSample(picture), dims: [1, CHANNELS, height, width] };
  const { output, milliseconds } = await network.run({ sample }, 'latent_parameters');
  const parameters = toFloats(output);
  assertNumbers('vae_encoder', parameters);
  if (output.dims.length !== 4 || parameters.length % 2 !== 0) {
    throw new AppError(
      'UNSUPPORTED',
      `the encoder gives [${output.dims.join(', ')}], not means and variances`,
    );
  }
  const count = parameters.length / 2;
  const noise = randn(count);
  const latents = parameters.subarray(0, count).map((mean, i) => {
    const logVariance = clamp(parameters[count + i] as number, MIN_LOG_VARIANCE, MAX_LOG_VARIANCE);
    const deviation = round(Math.exp(round(0.5 * logVariance)));
    return round(mean + round(deviation * (noise[i] as number))) * scalingFactor;
  });
  return { latents, milliseconds };
}

/** uint8 pixels, row by row, to float32 planes [3, H, W] in [-1, 1]. */
function toSample({ data, width, height }: RgbImage): Float32Array {
  const pixels = width * height;
  const sample = new Float32Array(CHANNELS * pixels);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const value = round((data[pixel * CHANNELS + channel] as number) / 255);
      sample[channel * pixels + pixel] = round(2 * value) - 1;
    }
  }
  return sample;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
