import { AppError } from '../../errors/app-error.js';
import { inspectPicture } from '../../image/inspect-picture.js';
import { REQUEST_LIMITS } from '../../image/picture-limits.js';
import { decodePicture } from './decode-picture.js';

/** Four times the side that SD-Turbo draws. Pixels. */
const MAX_SIDE = 2048;

/**
 * A picture as a service takes it: as it is where it is within a request's limits, else as a JPEG that is no larger than it
 * need be for any model.
 *
 * @throws AppError INVALID_INPUT that names --image
 */
export async function fitPicture(bytes: Uint8Array): Promise<Uint8Array> {
  if (fits(bytes)) return bytes;
  const { encodeImage } = await import('../../image/encode-image.js');
  // Noise alone takes more than a byte for each pixel.
  for (let side = MAX_SIDE; ; side /= 2) {
    const image = await decodePicture({ bytes, width: side, height: side, fit: 'inside' });
    const smaller = await encodeImage(image, 'jpeg');
    if (fits(smaller)) return smaller;
  }
}

function fits(bytes: Uint8Array): boolean {
  try {
    inspectPicture(bytes, REQUEST_LIMITS);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
