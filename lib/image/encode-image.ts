import { AppError } from '../errors/app-error.js';
import { insertPngText } from './insert-png-text.js';
import type { RgbImage } from './rgb-image.js';
import { sharp } from './sharp.js';

export type { RgbImage };

export type ImageFormat = 'png' | 'jpeg' | 'webp';

/** Sixteen times the model's 512 pixels, and below WebP's limit of 16,383. */
const MAX_SIDE = 8192;

/**
 * The fastest deflate level without trying filters. 512 x 512 on 2 cores: 2 to 8 ms and 226 to 749 KiB, from a
 * smooth picture to a noisy one. Level 2 takes 1.5 to 2 times as long for 0.8 of the bytes; filters alone cost
 * another 4 to 10 ms.
 */
const PNG = { compressionLevel: 1, adaptiveFiltering: false, palette: false };

const JPEG = { quality: 90 };

/** Higher efforts take 2 to 5 times as long for at most a tenth fewer bytes. */
const WEBP = { quality: 80, effort: 0 };

/**
 * Encodes a picture: png keeps every pixel, jpeg (quality 90) and webp (quality 80) do not. The same input
 * gives the same bytes.
 *
 * @param text keywords and values to store inside a png; the other formats do not carry them. @default none
 * @throws AppError INVALID_INPUT where the data does not fit the size, or a text cannot stand in a png
 */
export async function encodeImage(
  image: RgbImage,
  format: ImageFormat,
  text: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const { data, width, height } = image;
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE) {
      throw new AppError('INVALID_INPUT', `image sides must be integers from 1 to ${MAX_SIDE}, not ${side}`);
    }
  }
  if (data.length !== 3 * width * height) {
    throw new AppError('INVALID_INPUT', `image data has ${data.length} bytes, not 3 * ${width} * ${height}`);
  }
  const pixels = sharp(data, { raw: { width, height, channels: 3 } });
  switch (format) {
    case 'png':
      return insertPngText(await pixels.png(PNG).toBuffer(), text);
    case 'jpeg':
      return pixels.jpeg(JPEG).toBuffer();
    case 'webp':
      return pixels.webp(WEBP).toBuffer();
  }
}
