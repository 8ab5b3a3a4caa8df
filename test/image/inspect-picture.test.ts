import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { inspectPicture } from '../../lib/image/inspect-picture.js';
import { OWN_LIMITS, REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { wholePictures } from '../fuzz/whole-pictures.js';
import {
  animate,
  makePng,
  makeProgressiveJpeg,
  makeWebp,
  pngChunk,
  segment,
} from '../support/pictures/hostile-pictures.js';

const solid = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#456' }, limitInputPixels: false });
/** An IHDR alone makes a large picture. */
const huge = (width: number, height: number, depth: number, colour: number, interlaced: boolean) =>
  makePng({ width, height, depth, colour, interlaced, rows: Buffer.alloc(9) });

test('format and size are those that the library finds', async () => {
  for (const [name, bytes] of await wholePictures()) {
    const { format, width, height } = inspectPicture(bytes, REQUEST_LIMITS);
    const found = await sharp(bytes).metadata();
    expect({ name, format, width, height }).toEqual({
      name,
      format: found.format,
      width: found.width,
      height: found.height,
    });
  }
});

describe('what is refused', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  const jpeg = () => solid(64, 64).jpeg().toBuffer();
  const still = () => solid(8, 8).webp().toBuffer();
  const others: [string, () => Promise<Buffer> | Buffer][] = [
    ['nothing', () => Buffer.alloc(0)],
    ['text', () => Buffer.from('not a picture')],
    ['an SVG', () => Buffer.from(svg)],
    ['an SVG behind an XML declaration', () => Buffer.from(`\ufeff<?xml version="1.0"?>\n${svg}`)],
    ['a GIF', () => solid(9, 9).gif().toBuffer()],
    ['a TIFF', () => solid(9, 9).tiff().toBuffer()],
    ['an AVIF', () => solid(9, 9).avif().toBuffer()],
    ['a PDF', () => Buffer.from('%PDF-1.7\n')],
    ['a PPM', () => Buffer.from('P6\n1 1\n255\nabc')],
    ['a RIFF of another kind', () => Buffer.from('RIFF\x20\0\0\0WAVEfmt ')],
    ['a JPEG behind a line', async () => Buffer.concat([Buffer.from('\n'), await jpeg()])],
  ];
  test.each(others)('another format: %s', async (_, make) => {
    const bytes = await make();
    expect(() => inspectPicture(bytes, REQUEST_LIMITS)).toThrow(/^must be a PNG, JPEG or WebP picture$/);
  });

  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  test.each([
    ['a signature and an SVG', () => Buffer.concat([signature, Buffer.from(svg)])],
    [
      'a JPEG marker and HTML',
      () => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('<html></html>')]),
    ],
    ['a RIFF around an SVG', () => makeWebp([{ type: 'SVG ', data: Buffer.from(svg) }])],
    ['a signature alone', () => signature],
    ['a PNG that breaks off', async () => (await solid(64, 64).png().toBuffer()).subarray(0, -20)],
    [
      'a PNG without pixels',
      () =>
        Buffer.concat([makePng({ width: 1, height: 1 }).subarray(0, 33), pngChunk('IEND', Buffer.alloc(0))]),
    ],
    ['a PNG with no width', () => makePng({ width: 0, height: 4, rows: Buffer.alloc(4) })],
    ['a JPEG that breaks off in its header', async () => (await jpeg()).subarray(0, 100)],
    ['a JPEG of two frames', async () => twice(await jpeg())],
    ['a WebP that breaks off', async () => (await still()).subarray(0, -10)],
  ])('a broken file: %s', async (_, make) => {
    const bytes = await make();
    expect(() => inspectPicture(bytes, REQUEST_LIMITS)).toThrow(
      /^must be a PNG, JPEG or WebP picture that is whole$/,
    );
  });

  test.each([
    ['bytes', () => Buffer.alloc(REQUEST_LIMITS.bytes + 1), /^must have at most 3145728 bytes$/],
    ['pixels', () => huge(10_000, 10_000, 8, 2, false), /^must have at most 50000000 pixels$/],
    ['pixels of a JPEG', async () => resized(await jpeg(), 65_000), /50000000 pixels$/],
    [
      'pixels of a WebP',
      () => still().then((bytes) => animate(bytes, 16_000, 16_000, 1)),
      /50000000 pixels$/,
    ],
    [
      'bits of a PNG',
      () => huge(7_000, 7_000, 16, 6, true),
      /^must have at most 150000000 bytes when it is unpacked$/,
    ],
    [
      'coefficients',
      () => makeProgressiveJpeg({ width: 7_000, height: 7_000, components: 3, scans: 1 }),
      /when it is unpacked$/,
    ],
    [
      'scans',
      () => makeProgressiveJpeg({ width: 2_000, height: 2_000, components: 1, scans: 64 }),
      /^must have at most 64 scans$/,
    ],
    [
      'segments',
      async () => repeated(await jpeg(), segment(0xe1, [0]), 2_000),
      /^must have at most 2000 segments$/,
    ],
    [
      'chunks of a PNG',
      () =>
        makePng({
          width: 8,
          height: 8,
          chunks: Array<Buffer>(20_000).fill(pngChunk('tEXt', Buffer.from('a\0b'))),
        }),
      /20000 chunks$/,
    ],
    ['frames', () => still().then((bytes) => animate(bytes, 8, 8, 1_001)), /^must have at most 1000 frames$/],
  ])('too many %s', async (_, make, message) => {
    const bytes = await make();
    expect(() => inspectPicture(bytes, REQUEST_LIMITS)).toThrow(message);
  });

  test('a JPEG that is neither baseline nor progressive', async () => {
    const bytes = await jpeg();
    bytes[bytes.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc9;
    expect(() => inspectPicture(bytes, REQUEST_LIMITS)).toThrow(/^must be a baseline or progressive JPEG$/);
  });
});

test('what changes no pixel and costs time is left out: texts, frames, what lies behind the end', async () => {
  const text = pngChunk('zTXt', Buffer.from('bomb\0\0'));
  const png = makePng({ width: 8, height: 8, chunks: [text, pngChunk('fdAT', Buffer.alloc(9)), text] });
  const left = Buffer.concat(
    inspectPicture(Buffer.concat([png, Buffer.from('<html>')]), REQUEST_LIMITS).parts,
  );
  expect(left).toEqual(makePng({ width: 8, height: 8 }));
  const jpeg = await solid(8, 8).jpeg().toBuffer();
  expect(Buffer.concat(inspectPicture(Buffer.concat([jpeg, jpeg]), REQUEST_LIMITS).parts)).toEqual(jpeg);
});

test('a photo of a camera is within the limits of a request, but for its bytes; the largest within those of a file', () => {
  const photo = makeProgressiveJpeg({ width: 6_000, height: 4_000, components: 3, scans: 9 });
  expect(inspectPicture(photo, REQUEST_LIMITS)).toMatchObject({ width: 6_000, height: 4_000 });
  expect(inspectPicture(huge(16_320, 12_240, 8, 2, false), OWN_LIMITS).unpackedBytes).toBe(
    3 * 16_320 * 12_240,
  );
});

/** A JPEG whose frame is said twice. */
function twice(jpeg: Buffer): Buffer {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  return repeated(jpeg, jpeg.subarray(at, at + 2 + jpeg.readUInt16BE(at + 2)), 1, at);
}

function resized(jpeg: Buffer, side: number): Buffer {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(side, at + 5);
  jpeg.writeUInt16BE(side, at + 7);
  return jpeg;
}

function repeated(jpeg: Buffer, piece: Buffer, times: number, at = 2): Buffer {
  return Buffer.concat([jpeg.subarray(0, at), ...Array<Buffer>(times).fill(piece), jpeg.subarray(at)]);
}
