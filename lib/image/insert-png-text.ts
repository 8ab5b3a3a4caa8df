import { AppError } from '../errors/app-error.js';
import { crc32 } from '../weights/bytes/crc32.js';

/** The signature and the IHDR chunk, which the specification puts first and of this length. */
const END_OF_HEADER = 8 + 25;

/** The specification's limit, in bytes of Latin-1. */
const MAX_KEYWORD = 79;

/** 64 KiB, far above the longest prompt: a longer text would outweigh the picture. */
const MAX_TEXT = 64 * 1024;

/**
 * Stores texts in a PNG, before its pixels: a tEXt chunk for each, or iTXt (UTF-8) where the text is not Latin-1.
 * See https://www.w3.org/TR/png-3/#11textinfo.
 *
 * @param png a whole PNG file
 * @param text texts by keyword: 1 to 79 printable Latin-1 characters, no space at an end, no two in a row
 * @throws AppError INVALID_INPUT for another keyword, a text with a NUL, or one above 64 KiB
 */
export function insertPngText(png: Buffer, text: Readonly<Record<string, string>>): Buffer {
  const chunks = Object.entries(text).map(([keyword, value]) => textChunk(keyword, value));
  return Buffer.concat([png.subarray(0, END_OF_HEADER), ...chunks, png.subarray(END_OF_HEADER)]);
}

function textChunk(keyword: string, value: string): Buffer {
  if (keyword.length > MAX_KEYWORD || !/^[!-~¡-ÿ]+(?: [!-~¡-ÿ]+)*$/.test(keyword)) {
    throw new AppError(
      'INVALID_INPUT',
      `not a PNG keyword: ${JSON.stringify(keyword.slice(0, MAX_KEYWORD))}`,
    );
  }
  if (value.length > MAX_TEXT || value.includes('\0')) {
    throw new AppError(
      'INVALID_INPUT',
      `the text of ${keyword} is above ${MAX_TEXT} characters or has a NUL`,
    );
  }
  const latin1 = Buffer.from(value, 'latin1');
  const name = Buffer.from(`${keyword}\0`, 'latin1');
  if (latin1.toString('latin1') === value) return chunk('tEXt', Buffer.concat([name, latin1]));
  // Not compressed, no language, no translated keyword.
  return chunk('iTXt', Buffer.concat([name, Buffer.alloc(4), Buffer.from(value, 'utf8')]));
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
