import { brokenPicture, type PictureFacts, refusePicture, viewOf } from './picture-facts.js';

/** Frames: baseline, extended, progressive. Browsers read no others. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** Lossless, hierarchical, with arithmetic coding. 0xc4, 0xc8 and 0xcc are no frames. */
const OTHER_FRAMES: ReadonlySet<number> = new Set([
  0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf,
]);
const SCAN = 0xda;
const END = 0xd9;
/** Markers without data: TEM, the start. Restarts stand within a scan's data and are passed over with it. */
const ALONE: ReadonlySet<number> = new Set([0x01, 0xd8]);
/** Encoders write 10 or so. One scan more over all blocks takes a few bytes, and 10 ms for 50 megapixels. */
const MAX_SCANS = 64;
/** libjpeg looks for the last in a list at each; a camera's depth map in pieces of 64 KB has some hundreds. */
const MAX_SEGMENTS = 2_000;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  /** Over all components, for each pixel: 1.5 where both colours have half the width and height. */
  readonly samples: number;
}

/**
 * Looks through the segments of a JPEG up to its end; other pictures may lie behind.
 *
 * @throws AppError INVALID_INPUT for a broken file, a kind that is not read, too many scans or segments. Source: ITU-T T.81
 */
export function inspectJpeg(bytes: Uint8Array): PictureFacts {
  const view = viewOf(bytes);
  let frame: Frame | undefined;
  let scans = 0;
  let at = 2;
  for (let count = 0; ; count++) {
    if (count > MAX_SEGMENTS) throw refusePicture(`have at most ${MAX_SEGMENTS} segments`);
    at = nextMarker(bytes, at);
    const marker = bytes[at - 1] as number;
    // Cameras that break off there are read everywhere: how much is missing the decoder sees.
    if (at > bytes.length || marker === END) break;
    if (ALONE.has(marker)) continue;
    if (at + 2 > bytes.length) throw brokenPicture();
    const end = at + view.getUint16(at);
    if (end < at + 2 || end > bytes.length) throw brokenPicture();
    if (OTHER_FRAMES.has(marker)) throw refusePicture('be a baseline or progressive JPEG');
    if (FRAMES.has(marker)) {
      if (frame) throw brokenPicture();
      frame = readFrame(view, at + 2, end, marker === 0xc2);
    }
    if (marker === SCAN && ++scans > MAX_SCANS) throw refusePicture(`have at most ${MAX_SCANS} scans`);
    at = end;
  }
  if (!frame || scans === 0) throw brokenPicture();
  const { width, height, progressive, samples } = frame;
  // Of several scans the coefficients, two bytes each, are kept until the last.
  const sampleBytes = progressive || scans > 1 ? 2 : 1;
  const unpackedBytes = Math.ceil(width * height * samples * sampleBytes);
  return { format: 'jpeg', width, height, unpackedBytes, parts: [bytes.subarray(0, at)] };
}

/** @returns where the data of the next marker begins, which stands before that; beyond the end where there is none */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker === undefined) break;
    // Within a scan: an 0xff of its own, a filler, a restart.
    if (marker !== 0x00 && marker !== 0xff && (marker & 0xf8) !== 0xd0) return at + 2;
  }
  return bytes.length + 1;
}

/** @param at of its precision, height, width, number of components, and 3 bytes for each of these */
function readFrame(view: DataView, at: number, end: number, progressive: boolean): Frame {
  if (at + 6 > end) throw brokenPicture();
  const count = view.getUint8(at + 5);
  if (count === 0 || count > 4 || at + 6 + 3 * count > end) throw brokenPicture();
  const factors = Array.from({ length: count }, (_, index) => {
    const both = view.getUint8(at + 7 + 3 * index);
    return [both >> 4, both & 15] as const;
  });
  if (factors.flat().some((factor) => factor < 1 || factor > 4)) throw brokenPicture();
  const most = Math.max(...factors.map(([across]) => across)) * Math.max(...factors.map(([, down]) => down));
  const samples = factors.reduce((sum, [across, down]) => sum + (across * down) / most, 0);
  return { height: view.getUint16(at + 1), width: view.getUint16(at + 3), progressive, samples };
}
