import { readFile } from 'node:fs/promises';
import type { RgbImage } from '../../../lib/image/rgb-image.js';
import { readPixels } from '../pictures/read-pixels.js';

/**
 * The largest difference of any channel of any pixel, in levels of 0 to 255.
 *
 * @param other a picture, or the file of one
 */
export async function largestDifference(image: RgbImage, other: RgbImage | string): Promise<number> {
  const { data, width, height } = typeof other === 'string' ? await readPixels(await readFile(other)) : other;
  if (width !== image.width || height !== image.height) throw new Error('the pictures differ in size');
  return data.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (image.data[index] as number))),
    0,
  );
}
