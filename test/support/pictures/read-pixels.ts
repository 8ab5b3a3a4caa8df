import sharp from 'sharp';
import type { RgbImage } from '../../../lib/image/rgb-image.js';

/** Of an encoded picture, without its transparency. Bytes only: `lib/image` has switched off what reads files by itself. */
export async function readPixels(bytes: Uint8Array): Promise<RgbImage> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
