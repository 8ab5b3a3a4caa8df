import type { RgbImage } from './rgb-image.js';
import { sharp } from './sharp.js';

/** Pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * A finished picture in another size, nothing in it distorted: scaled (Lanczos, 3 lobes) so that it covers the size, cut at
 * the centre. One that has it already comes back as it is.
 */
export async function resizeImage(image: RgbImage, { width, height }: Size): Promise<RgbImage> {
  if (image.width === width && image.height === height) return image;
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const data = await sharp(image.data, { raw })
    .resize(width, height, { fit: 'cover', kernel: 'lanczos3' })
    .raw()
    .toBuffer();
  return { data, width, height };
}

/** What a person should know of a picture that was resized; undefined where it was not. */
export function tellResize(from: Size, to: Size): string | undefined {
  if (from.width === to.width && from.height === to.height) return undefined;
  const isCut = from.width * to.height !== from.height * to.width;
  return (
    `size: the model draws ${from.width}x${from.height}; this is its picture scaled to ${to.width}x${to.height} (Lanczos)` +
    (isCut ? ', without the edges that the other shape has no room for' : '')
  );
}
