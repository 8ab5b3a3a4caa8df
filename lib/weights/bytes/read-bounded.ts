import { AppError } from '../../errors/app-error.js';

/**
 * A short stream as one array.
 *
 * @param name of the object, for the message
 * @throws AppError INVALID_FILE as soon as more than `maxBytes` have come
 */
export async function readBounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  name: string,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBytes) throw new AppError('INVALID_FILE', `${name} is longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
