import { AppError } from '../../lib/errors/app-error.js';
import type { ImageDecoder } from '../../lib/image/image-decoder.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';

const SIZE = { width: 48, height: 32 };
const NEVER = new AbortController().signal;

/**
 * What must hold of any bytes: they are read as a picture of the size, or refused in words that name the image. That it ends,
 * and within which memory, the decoder sees to itself; to end the process is not a way that a small file may take.
 *
 * @throws Error that says what else happened
 */
export async function readOrRefuse(decoder: ImageDecoder, bytes: Uint8Array): Promise<'read' | 'refused'> {
  try {
    const { data, width, height } = await decoder.decode(
      { bytes, ...SIZE, limits: REQUEST_LIMITS },
      'image',
      NEVER,
    );
    if (width === SIZE.width && height === SIZE.height && data.length === 3 * width * height) return 'read';
    throw new Error(`a picture of ${width} x ${height} with ${data.length} bytes`);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const told = error.code === 'INVALID_INPUT' && /^image: must [^\n]+$/.test(error.message);
    if (!told || /less time/.test(error.message)) throw new Error(`${error.code}, ${error.message}`);
    return 'refused';
  }
}
