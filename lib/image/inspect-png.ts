import { brokenPicture, type PictureFacts, refusePicture, viewOf } from './picture-facts.js';

const SIGNATURE = 8;
/** Length, type and checksum. */
const AROUND_DATA = 12;
const HEADER = 0x49484452; // IHDR
const PIXELS = 0x49444154; // IDAT
const END = 0x49454e44; // IEND
const TRANSPARENCY = 0x74524e53; // tRNS
/** Of the chunks that a decoder may skip those that change a pixel: transparency, colour profile (iCCP), orientation (eXIf). */
const USEFUL: ReadonlySet<number> = new Set([TRANSPARENCY, 0x69434350, 0x65584966]);
/** Set in the type of a chunk that a decoder may skip: its first letter is small. */
const ANCILLARY = 0x20000000;
/** libpng writes 8 KiB into each: enough for 150 MB. */
const MAX_CHUNKS = 20_000;
/** By colour type: grey, -, colour, palette, grey and alpha, -, colour and alpha. */
const CHANNELS: readonly number[] = [1, 0, 3, 3, 2, 0, 4];

/**
 * Looks through the chunks of a PNG. What is left of it has one of each that matters: libpng inflates every compressed text,
 * and each may become a thousand times as long.
 *
 * @throws AppError INVALID_INPUT for a broken file, or too many chunks. Source: https://www.w3.org/TR/png-3/
 */
export function inspectPng(bytes: Uint8Array): PictureFacts {
  const view = viewOf(bytes);
  const parts = [bytes.subarray(0, SIGNATURE)];
  const seen = new Set<number>();
  for (let at = SIGNATURE, count = 0; at < bytes.length && !seen.has(END); count++) {
    if (count >= MAX_CHUNKS) throw refusePicture(`have at most ${MAX_CHUNKS} chunks`);
    if (at + AROUND_DATA > bytes.length) throw brokenPicture();
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const end = at + AROUND_DATA + length;
    if (end > bytes.length || (count === 0 && (type !== HEADER || length !== 13))) throw brokenPicture();
    const skipped = (type & ANCILLARY) !== 0 && (!USEFUL.has(type) || seen.has(type));
    if (!skipped) parts.push(bytes.subarray(at, end));
    seen.add(type);
    at = end;
  }
  if (!seen.has(PIXELS)) throw brokenPicture();
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour] = [view.getUint8(24), view.getUint8(25)];
  // A palette has its transparency beside it, and so have colours that stand for it.
  const channels = (CHANNELS[colour] ?? 0) + (seen.has(TRANSPARENCY) ? 1 : 0);
  return {
    format: 'png',
    width,
    height,
    unpackedBytes: width * height * channels * (depth > 8 ? 2 : 1),
    parts,
  };
}
