import { AppError } from '../errors/app-error.js';
import type { RgbImage } from '../image/rgb-image.js';
import { type TensorData, toFloats } from '../runtime/tensor.js';
import { assertNumbers } from './assert-numbers.js';

const CHANNELS = 3;
const DECODER = 'decoder';

/**
 * The picture in a decoder's output: finished uint8 pixels [1, H, W, 3] as they are, or the float sample
 * [1, 3, H, W] in [-1, 1] that other exporters leave, finished as diffusers does.
 *
 * @param mean of the picture before it became bytes, in which what is no number has become 0; graphs of bundles of
 * version 1 give none
 * @throws AppError BAD_NUMBERS where a pixel was no number, UNSUPPORTED where there is no picture
 */
export function toPixels(output: TensorData, mean?: TensorData): RgbImage {
  if (mean) assertNumbers(DECODER, toFloats(mean));
  if (output.data instanceof Uint8Array) {
    const [, height, width, channels] = output.dims;
    assertShape(output, channels);
    if (!mean) assertSeen(output.data);
    return { data: output.data, height: height as number, width: width as number };
  }
  const [, channels, height, width] = output.dims as [number, number, number, number];
  assertShape(output, channels);
  const sample = toFloats(output);
  assertNumbers(DECODER, sample);
  return { data: finishSample(sample, height * width), height, width };
}

/** Where nothing but bytes is left of it, what overflowed on its way is black, every pixel of it. */
function assertSeen(data: Uint8Array): void {
  if (data.some((level) => level !== 0)) return;
  throw new AppError(
    'BAD_NUMBERS',
    `the ${DECODER} network gave a black picture, as it does of what are no numbers`,
  );
}

function finishSample(sample: Float32Array, pixels: number): Uint8Array {
  // Uint8ClampedArray clamps and rounds half to even, as torch and numpy do.
  const data = new Uint8ClampedArray(CHANNELS * pixels);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const value = sample[channel * pixels + pixel] as number;
      data[pixel * CHANNELS + channel] = Math.fround(Math.fround(Math.fround(value / 2) + 0.5) * 255);
    }
  }
  return new Uint8Array(data.buffer);
}

function assertShape(output: TensorData, channels: number | undefined): void {
  if (output.dims.length === 4 && output.dims[0] === 1 && channels === CHANNELS) return;
  throw new AppError(
    'UNSUPPORTED',
    `the decoder gives ${output.type} [${output.dims.join(', ')}], not one RGB picture`,
  );
}
