import sharp from 'sharp';
import type { RgbImage } from '../../lib/image/rgb-image.js';

/** The largest difference of any channel of any pixel, in levels of 0 to 255. */
export async function largestDifference(image: RgbImage, file: string): Promise<number> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.width !== image.width || info.height !== image.height) throw new Error(`${file}: another size`);
  return data.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (image.data[index] as number))),
    0,
  );
}
