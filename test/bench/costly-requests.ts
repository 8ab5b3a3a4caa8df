import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';
import {
  animate,
  makePng,
  makeProgressiveJpeg,
  pngChunk,
  segment,
} from '../support/pictures/hostile-pictures.js';

export interface CostlyRequest {
  readonly name: string;
  /** @default that of the API */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const BODY = 64 * 1024;
/** Node takes 16 KiB of headers together. */
const HEADER = 12_000;
const PROMPT = 2_000;

function said(name: string, fields: object, headers: Readonly<Record<string, string>> = {}): CostlyRequest {
  return { name, headers, body: JSON.stringify({ prompt: 'x', ...fields }) };
}

function prompt(name: string, piece: string, length = PROMPT): CostlyRequest {
  return said(`prompt: ${name}`, { prompt: piece.repeat(Math.floor(length / piece.length)) });
}

/** The longest and worst of each thing in a request without a picture. */
export function costlyTexts(): CostlyRequest[] {
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 0]));
  return [
    prompt('one word of 2,000 letters', 'a'),
    prompt('combining marks', 'e\u0301\u0327\u0302'),
    prompt('ligatures that become longer', '\ufdfa'),
    prompt('emoji of many parts', '👩‍👩‍👧‍👦'),
    prompt('apostrophes and digits', "'s1"),
    prompt('`<|endoftext|>`, and its beginning', '<|endoftext|><|'),
    prompt('64 KiB of spaces', ' ', BODY - 20),
    prompt('64 KiB', 'a ', BODY - 20),
    { name: 'JSON: 32,000 arrays in each other', body: `${'['.repeat(32_000)}${']'.repeat(32_000)}` },
    { name: 'JSON: a number of 65,000 digits', body: `{"prompt":"x","seed":${'9'.repeat(65_000)}}` },
    said('JSON: 5,000 fields that nobody knows', fields),
    { name: 'JSON: one field 8,000 times', body: `{${'"seed":1,'.repeat(7_000)}"prompt":"x"}` },
    said('`webhook` of many labels', { webhook: `https://${'a.'.repeat(900)}b` }),
    said('`Accept` of 700 types', {}, { accept: 'image/x;q=0.1,'.repeat(HEADER / 14) }),
    said('`Prefer` of 12 KB', {}, { prefer: 'wait=1 ,'.repeat(HEADER / 8) }),
    said('`Idempotency-Key` of 12 KB', {}, { 'idempotency-key': 'k'.repeat(HEADER) }),
    said('`image` of 4 MB that is no base64', { image: `${'A'.repeat(4_190_000)}!` }),
    { name: '`image` unfinished, then 4 MB of arrays', body: `{"image":${'['.repeat(4_190_000)}` },
  ];
}

const solid = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#456' }, limitInputPixels: false });

/** About as many bytes as may be, which nothing can make smaller. */
const noise = (width: number, height: number) =>
  sharp(randomBytes(3 * width * height), { raw: { width, height, channels: 3 } });

/** Side of a square picture with so many pixels. */
const side = (pixels: number) => Math.floor(Math.sqrt(pixels));

/** The worst of each kind of picture, as far as it is known. */
export function costlyPictures(): [string, () => Buffer | Promise<Buffer>][] {
  const [most, quarter] = [side(50_000_000), side(18_700_000)];
  const text = pngChunk(
    'zTXt',
    Buffer.concat([Buffer.from('k\0\0'), deflateSync(Buffer.alloc(7_900_000), { level: 9 })]),
  );
  const exif = Buffer.concat([Buffer.from('MM\0*\0\0\0\x08\xff\xff'), Buffer.alloc(12 * 0xffff, 1)]);
  const tail = Buffer.alloc(900_000_000);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><style>${'g '.repeat(1_000_000)}{}</style></svg>`;
  return [
    ['PNG: 50 megapixels', () => makePng({ width: most, height: most })],
    [
      'PNG: 37 megapixels, transparent, interlaced',
      () => makePng({ width: side(37_500_000), height: side(37_500_000), colour: 6, interlaced: true }),
    ],
    [
      'PNG: 18 megapixels, transparent, 16 bits, interlaced',
      () => makePng({ width: quarter, height: quarter, depth: 16, colour: 6, interlaced: true }),
    ],
    [
      'PNG: 1,500 texts that become 8 MB each',
      () =>
        makePng({
          width: 64,
          height: 64,
          chunks: Array<Buffer>(Math.floor(3_000_000 / text.length)).fill(text),
        }),
    ],
    ['PNG: pixels that go on for 900 MB', () => makePng({ width: 64, height: 64, rows: tail })],
    [
      'PNG: EXIF of 65,535 fields',
      () => makePng({ width: 64, height: 64, chunks: [pngChunk('eXIf', exif)] }),
    ],
    ['PNG: noise of 3 MB', () => noise(1_000, 1_000).png().toBuffer()],
    ['PNG: 1 x 65,535', () => makePng({ width: 1, height: 65_535 })],
    ['JPEG: 50 megapixels', () => solid(most, most).jpeg().toBuffer()],
    [
      'JPEG: 50 megapixels, noise',
      () => noise(most, most).jpeg({ quality: 1, chromaSubsampling: '4:4:4' }).toBuffer(),
    ],
    [
      'JPEG: 25 megapixels, progressive',
      () => solid(side(25e6), side(25e6)).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    ],
    [
      'JPEG: 25 megapixels, 64 scans',
      () => makeProgressiveJpeg({ width: side(25e6), height: side(25e6), components: 3, scans: 63 }),
    ],
    [
      'JPEG: 2,000 segments',
      async () => repeatSegment(await solid(64, 64).jpeg().toBuffer(), segment(0xe1, new Uint8Array(1_000))),
    ],
    ['JPEG: 50 megapixels, four colours', () => solid(most, most).toColourspace('cmyk').jpeg().toBuffer()],
    [
      'JPEG: 3 MB of 0xff',
      () => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(MAX_IMAGE_BYTES - 2, 0xff)]),
    ],
    ['WebP: 50 megapixels', () => solid(most, most).webp({ effort: 0 }).toBuffer()],
    [
      'WebP: 50 megapixels, without loss',
      () => solid(most, most).webp({ effort: 0, lossless: true }).toBuffer(),
    ],
    ['WebP: noise of 3 MB', () => noise(3_600, 3_600).webp({ effort: 0, quality: 1 }).toBuffer()],
    ['WebP: 1,000 frames', async () => animate(await solid(512, 512).webp().toBuffer(), 512, 512, 1_000)],
    ['SVG: a selector of a million parts', () => Buffer.from(svg)],
  ];
}

function repeatSegment(jpeg: Buffer, piece: Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...Array<Buffer>(1_980).fill(piece), jpeg.subarray(2)]);
}
