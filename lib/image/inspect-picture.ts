import { inspectJpeg } from './inspect-jpeg.js';
import { inspectPng } from './inspect-png.js';
import { inspectWebp } from './inspect-webp.js';
import { brokenPicture, type PictureFacts, refusePicture } from './picture-facts.js';
import { pictureFormat } from './picture-format.js';
import type { PictureLimits } from './picture-limits.js';

const INSPECT = { png: inspectPng, jpeg: inspectJpeg, webp: inspectWebp };

/**
 * Looks at a picture's file before any library does: its format by its signature, its structure, its size. No pixel is
 * unpacked; it takes milliseconds, whatever the bytes are.
 *
 * @throws AppError INVALID_INPUT that says what the picture must be, and leaves its name to the caller
 */
export function inspectPicture(bytes: Uint8Array, limits: PictureLimits): PictureFacts {
  if (bytes.length > limits.bytes) throw refusePicture(`have at most ${limits.bytes} bytes`);
  const format = pictureFormat(bytes);
  if (!format) throw refusePicture('be a PNG, JPEG or WebP picture');
  const facts = INSPECT[format](bytes);
  const pixels = facts.width * facts.height;
  if (pixels === 0) throw brokenPicture();
  if (pixels > limits.pixels) throw refusePicture(`have at most ${limits.pixels} pixels`);
  if (facts.unpackedBytes > limits.unpackedBytes) {
    throw refusePicture(`have at most ${limits.unpackedBytes} bytes when it is unpacked`);
  }
  return facts;
}
