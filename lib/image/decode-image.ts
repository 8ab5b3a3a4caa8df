import { inspectPicture } from './inspect-picture.js';
import { brokenPicture } from './picture-facts.js';
import type { PictureLimits } from './picture-limits.js';
import type { RgbImage } from './rgb-image.js';
import { sharp } from './sharp.js';

export interface DecodeImageProps {
  /** PNG, JPEG or WebP; of an animation the first picture. */
  readonly bytes: Uint8Array;
  /** Of the result. Pixels. */
  readonly width: number;
  readonly height: number;
  /** `cover`: what goes beyond the size is cut off; `inside`: the whole picture, no larger than that or itself. @default cover */
  readonly fit?: 'cover' | 'inside';
  readonly limits: PictureLimits;
}

/**
 * A picture in the size that a model takes: turned as its EXIF data say, in sRGB, on white where it is transparent, scaled
 * (Lanczos) so that it covers the size, cut at the centre. One of that size comes out pixel by pixel.
 *
 * For pictures that may mean harm `ImageDecoder` does this in a process of its own: what libvips has begun cannot be
 * stopped, and its own `timeout` is looked at between regions of the result, not while a file is opened or read ahead.
 *
 * @throws AppError INVALID_INPUT that says what the picture must be, and leaves its name to the caller
 */
export async function decodeImage(props: DecodeImageProps): Promise<RgbImage> {
  const { bytes, width, height, fit = 'cover', limits } = props;
  const { format, parts } = inspectPicture(bytes, limits);
  try {
    const picture = sharp(Buffer.concat(parts), { limitInputPixels: limits.pixels, failOn: 'error' });
    // sharp takes 16 bits with a profile to P3 and forgets it: greens are 55 of 255 levels off. With 8 bits it does not; and to
    // say so for formats that have no others would keep it from unpacking less than the whole.
    if (format === 'png') picture.pipelineColourspace('srgb');
    const { data, info } = await picture
      .autoOrient()
      // Before it is scaled, so that the colour of what cannot be seen does not get into what can.
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .resize(width, height, { fit, kernel: 'lanczos3', withoutEnlargement: fit === 'inside' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels`);
    return { data, width: info.width, height: info.height };
  } catch (error) {
    throw brokenPicture(error);
  }
}
