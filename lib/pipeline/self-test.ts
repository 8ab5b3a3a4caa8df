import { AppError } from '../errors/app-error.js';
import type { RgbImage } from '../image/rgb-image.js';
import { type PictureSummary, THUMBNAIL_SIDE } from '../schemas/picture-summary.js';
import type { Decoder } from '../schemas/request.js';
import type { TextToImage } from './text-to-image.js';

const COLOURS = ['red', 'green', 'blue'];
const CHANNELS = COLOURS.length;
/** The same request everywhere, so that its picture can be compared. */
const REQUEST = { prompt: '', steps: 1, seed: 0, images: 1 } as const;

/** Levels by which a picture may differ from the one that was recorded. */
interface Tolerance {
  readonly mean: number;
  readonly spread: number;
  /** Of each cell of the thumbnail. */
  readonly cell: number;
}

/**
 * The same arithmetic on another processor: no pixel is off by more than one level. What a GPU has recorded that multiplies
 * in TF32 is as far as float16 is: a cell by 3 at most.
 */
const SAME: Tolerance = { mean: 1, spread: 1, cell: 4 };
/**
 * Between two measurements (test/bench/self-test/distances.ts; demo, tiny-turbo, tiny-v1 and the checkpoints of
 * test/fixtures/family, both decoders). In float16, `standard` or `cuda` with every value rounded: 0.1 off in mean and
 * spread, 3 in a cell, at most. With one fault in a layer (one of a kind planted in each network: a weight doubled, transposed or in another layout, a
 * bias dropped) the median of a cell is 2 to 138 off, by checkpoint and fault. Of these faults 16 / 16 / 32 sees 53, 46, 75
 * and 24 %, 4 / 4 / 12 sees 53, 54, 83 and 35 %; a faint one changes no more than rounding does. Four times what was measured
 * in a cell, since a test that fails wrongly stops a service, and no model as large as SD-Turbo was measured.
 */
const ROUNDED: Tolerance = { mean: 4, spread: 4, cell: 12 };

/**
 * Draws the self-test's picture with one decoder.
 *
 * @param signal stops before the next network runs
 * @throws AppError BAD_NUMBERS where there are none to make a picture of
 */
export async function drawTestPicture(
  pipeline: TextToImage,
  decoder: Decoder,
  signal?: AbortSignal,
): Promise<RgbImage> {
  const { images } = await pipeline.run({ ...REQUEST, decoder }, signal);
  return images[0] as RgbImage;
}

/**
 * Looks at the self-test's picture: it is about the one that was recorded for its bundle, or, where none was, it is no
 * flat one.
 *
 * @throws AppError BAD_NUMBERS where it is not
 */
export function assertTestPicture(
  picture: RgbImage,
  { bundle, provider }: TextToImage,
  decoder: Decoder,
): void {
  const expected = bundle.selfTest[decoder];
  const tolerance = provider === 'cpu' && bundle.precision === 'float32' ? SAME : ROUNDED;
  const problem = expected
    ? describeDifference(picture, expected, tolerance)
    : (describeFlat(picture) ?? (decoder === 'vae' ? describeFlatColour(picture) : undefined));
  if (problem === undefined) return;
  throw new AppError('BAD_NUMBERS', `${problem}: the self-test with the decoder ${decoder} failed`);
}

/** What to record of the picture, so that others can be compared with it. */
export function summarise(picture: RgbImage): PictureSummary {
  const { data } = picture;
  const mean = data.reduce((sum, level) => sum + level, 0) / data.length;
  const variance = data.reduce((sum, level) => sum + (level - mean) ** 2, 0) / data.length;
  const thumbnail = Buffer.from(cells(picture)).toString('hex');
  return { mean: round(mean), spread: round(Math.sqrt(variance)), thumbnail };
}

function describeFlat({ data }: RgbImage): string | undefined {
  const isFlat = data.every((level, at) => level === data[at % CHANNELS]);
  return isFlat ? `every pixel of the picture is ${[...data.subarray(0, CHANNELS)].join(', ')}` : undefined;
}

/**
 * What is no number has become 0 in bytes, and infinity 0 or 255. Of the VAE, whose colours are clipped here and there;
 * an AutoencoderTiny clamps its own, and one of random weights may have a colour that is clipped all over.
 */
function describeFlatColour({ data, width, height }: RgbImage): string | undefined {
  // Near the edge a kernel's outer weights have nothing to work on, and what they spoil may look sound.
  const [top, bottom] = [stretch(1, height)[0], stretch(THUMBNAIL_SIDE - 2, height)[1]];
  const [left, right] = [stretch(1, width)[0], stretch(THUMBNAIL_SIDE - 2, width)[1]];
  for (const [channel, colour] of COLOURS.entries()) {
    const levels = new Set<number>();
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) levels.add(data[CHANNELS * (y * width + x) + channel] as number);
    const isClipped = [...levels].every((level) => level === 0 || level === 255);
    if (isClipped || levels.size === 1)
      return `the picture's ${colour} is ${[...levels].sort((a, b) => a - b).join(' or ')} all over`;
  }
  return undefined;
}

function describeDifference(
  picture: RgbImage,
  expected: PictureSummary,
  tolerance: Tolerance,
): string | undefined {
  const got = summarise(picture);
  for (const name of ['mean', 'spread'] as const) {
    if (Math.abs(got[name] - expected[name]) > tolerance[name])
      return `the picture's ${name} is ${got[name]}, not about ${expected[name]}`;
  }
  const wanted = Buffer.from(expected.thumbnail, 'hex');
  const off = cells(picture).findIndex(
    (level, at) => Math.abs(level - (wanted[at] as number)) > tolerance.cell,
  );
  if (off < 0) return undefined;
  const cell = Math.floor(off / CHANNELS);
  const place = `row ${Math.floor(cell / THUMBNAIL_SIDE) + 1}, column ${(cell % THUMBNAIL_SIDE) + 1}`;
  return `the picture's thumbnail is another one's, first at ${place} of ${THUMBNAIL_SIDE}`;
}

/** The thumbnail: mean levels of 8 x 8 cells, row by row, red, green and blue. */
function cells({ data, width, height }: RgbImage): Uint8Array {
  const thumbnail = new Uint8Array(CHANNELS * THUMBNAIL_SIDE ** 2);
  for (let at = 0; at < thumbnail.length; at++) {
    const cell = Math.floor(at / CHANNELS);
    const [top, bottom] = stretch(Math.floor(cell / THUMBNAIL_SIDE), height);
    const [left, right] = stretch(cell % THUMBNAIL_SIDE, width);
    let sum = 0;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) sum += data[CHANNELS * (y * width + x) + (at % CHANNELS)] as number;
    thumbnail[at] = Math.round(sum / ((bottom - top) * (right - left)));
  }
  return thumbnail;
}

/** First and last pixel, that not included, of a cell: one pixel at least. */
function stretch(index: number, size: number): [number, number] {
  const start = Math.floor((index * size) / THUMBNAIL_SIDE);
  return [start, Math.max(start + 1, Math.floor(((index + 1) * size) / THUMBNAIL_SIDE))];
}

/** To tenths of a level: more would differ between processors. */
function round(level: number): number {
  return Math.round(level * 10) / 10;
}
