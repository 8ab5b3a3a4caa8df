import { brokenPicture, type PictureFacts, refusePicture, viewOf } from './picture-facts.js';

const START = 12;
const EXTENDED = 'VP8X';
const FRAME = 'ANMF';
/** Only the first is drawn, and libwebp looks for all. */
const MAX_FRAMES = 1_000;
/** Frames, colour profile, EXIF, XMP and what else there may be. */
const MAX_CHUNKS = 2_000;

/**
 * Looks through the chunks of a WebP.
 *
 * @throws AppError INVALID_INPUT for a broken file, too many frames or chunks.
 * Source: https://developers.google.com/speed/webp/docs/riff_container
 */
export function inspectWebp(bytes: Uint8Array): PictureFacts {
  const view = viewOf(bytes);
  const whole = 8 + view.getUint32(4, true);
  if (whole > bytes.length || whole < START + 8) throw brokenPicture();
  let size: { width: number; height: number } | undefined;
  let frames = 0;
  for (let at = START, count = 0; at + 8 <= whole; count++) {
    if (count >= MAX_CHUNKS) throw refusePicture(`have at most ${MAX_CHUNKS} chunks`);
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > whole) throw brokenPicture();
    size ??= readSize(type, view, at + 8, length);
    if (type === FRAME && ++frames > MAX_FRAMES) throw refusePicture(`have at most ${MAX_FRAMES} frames`);
    at += 8 + length + (length & 1);
  }
  if (!size) throw brokenPicture();
  return {
    format: 'webp',
    ...size,
    unpackedBytes: 4 * size.width * size.height,
    parts: [bytes.subarray(0, whole)],
  };
}

/** Of the first chunk, which tells the size of all. */
function readSize(
  type: string,
  view: DataView,
  at: number,
  length: number,
): { width: number; height: number } {
  if (length < 5 || (type !== 'VP8L' && length < 10)) throw brokenPicture();
  if (type === EXTENDED) return { width: 1 + readUint24(view, at + 4), height: 1 + readUint24(view, at + 7) };
  if (type === 'VP8 ' && readUint24(view, at + 3) === 0x2a019d) {
    return { width: view.getUint16(at + 6, true) & 0x3fff, height: view.getUint16(at + 8, true) & 0x3fff };
  }
  if (type === 'VP8L' && view.getUint8(at) === 0x2f) {
    const bits = view.getUint32(at + 1, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  throw brokenPicture();
}

function readUint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
