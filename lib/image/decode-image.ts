import sharp from 'sharp';
import { AppError } from '../errors/app-error.js';
import { MAX_IMAGE_BYTES } from '../schemas/request.js';
import type { RgbImage } from './rgb-image.js';

/** What a camera makes, 50 megapixels: 150 MB as raw pixels. */
const MAX_PIXELS = 50_000_000;
/** Read from the bytes, whatever their name says. */
const FORMATS: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp']);

export interface DecodeImageProps {
  /** PNG, JPEG or WebP; of an animation the first picture. */
  readonly bytes: Uint8Array;
  /** Of the result. Pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * A picture in the size that a model takes: turned as its EXIF data say, transparency dropped, scaled (Lanczos) so that it
 * covers the size, cut at the centre. One of that size comes out pixel by pixel.
 *
 * @throws AppError INVALID_INPUT for other formats, damaged files, and pictures above 3 MiB or 50 megapixels
 */
export async function decodeImage({ bytes, width, height }: DecodeImageProps): Promise<RgbImage> {
  if (bytes.length > MAX_IMAGE_BYTES) {
    throw new AppError('INVALID_INPUT', `image: must have at most ${MAX_IMAGE_BYTES} bytes`);
  }
  try {
    // The header only: pixels are not unpacked before their number is known.
    const { format, width: w, height: h } = await sharp(bytes).metadata();
    if (!FORMATS.has(format))
      throw new AppError('INVALID_INPUT', 'image: must be a PNG, JPEG or WebP picture');
    if (w * h > MAX_PIXELS)
      throw new AppError('INVALID_INPUT', `image: must have at most ${MAX_PIXELS} pixels`);
    const { data } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .resize(width, height, { fit: 'cover', kernel: 'lanczos3' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width, height };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('INVALID_INPUT', 'image: must be a PNG, JPEG or WebP picture that is whole', {
      cause: error,
    });
  }
}
