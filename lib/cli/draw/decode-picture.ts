import type { DecodeImageProps } from '../../image/decode-image.js';
import { ImageDecoder } from '../../image/image-decoder.js';
import { OWN_LIMITS } from '../../image/picture-limits.js';
import type { RgbImage } from '../../image/rgb-image.js';

/**
 * A picture of this machine's own: it may be larger than one that comes in a request, and is read as carefully.
 *
 * @throws AppError INVALID_INPUT that names --image
 */
export function decodePicture(props: Omit<DecodeImageProps, 'limits'>): Promise<RgbImage> {
  const decoder = new ImageDecoder(new URL('../../image/decode-process.js', import.meta.url));
  return decoder.decode({ ...props, limits: OWN_LIMITS }, '--image', new AbortController().signal);
}
