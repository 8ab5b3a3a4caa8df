import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/image/decode-image.js';
import { REQUEST_LIMITS as limits } from '../../lib/image/picture-limits.js';
import { makePng, pngChunk } from '../support/pictures/hostile-pictures.js';

const SIZE = { width: 16, height: 16 };

/** Red at the left, blue at the right. */
function halves(width: number, height: number) {
  const data = Buffer.alloc(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++)
    data[3 * pixel + (pixel % width < width / 2 ? 0 : 2)] = 255;
  return sharp(data, { raw: { width, height, channels: 3 } });
}

const pixelAt = (data: Uint8Array, x: number, y: number) => [
  ...data.subarray(3 * (16 * y + x), 3 * (16 * y + x) + 3),
];

test('a picture of the size comes out pixel by pixel', async () => {
  const bytes = await halves(16, 16).png().toBuffer();
  const { data, width, height } = await decodeImage({ bytes, ...SIZE, limits });
  expect({ width, height }).toEqual(SIZE);
  expect(Buffer.from(data)).toEqual(await halves(16, 16).raw().toBuffer());
});

test.each(['jpeg', 'webp', 'png'] as const)(
  '%s of another shape is scaled and cut at the centre',
  async (format) => {
    const bytes = await halves(64, 32).toFormat(format).toBuffer();
    const { data } = await decodeImage({ bytes, ...SIZE, limits });
    expect(data).toHaveLength(3 * 16 * 16);
    const [left, right] = [pixelAt(data, 0, 8), pixelAt(data, 15, 8)] as [number[], number[]];
    expect(left[0]).toBeGreaterThan(200);
    expect(left[2]).toBeLessThan(60);
    expect(right[2]).toBeGreaterThan(200);
  },
);

test('inside: the whole picture, never larger than it is', async () => {
  const bytes = await halves(64, 32).png().toBuffer();
  const small = await decodeImage({ bytes, ...SIZE, fit: 'inside', limits });
  expect([small.width, small.height]).toEqual([16, 8]);
  const same = await decodeImage({ bytes, width: 900, height: 900, fit: 'inside', limits });
  expect([same.width, same.height]).toEqual([64, 32]);
});

test.each(['png', 'jpeg', 'webp'] as const)('EXIF turns a %s', async (format) => {
  // 6: the camera was turned by a quarter, so that the left of the file is the top of the picture.
  const bytes = await halves(16, 16).withMetadata({ orientation: 6 }).toFormat(format).toBuffer();
  const { data } = await decodeImage({ bytes, ...SIZE, limits });
  const [top, bottom] = [pixelAt(data, 8, 0), pixelAt(data, 8, 15)] as [number[], number[]];
  expect(top[0]).toBeGreaterThan(200);
  expect(bottom[2]).toBeGreaterThan(200);
});

test('grey becomes colour', async () => {
  const grey = sharp(Buffer.alloc(256, 77), { raw: { ...SIZE, channels: 1 } }).toColourspace('b-w');
  const { data } = await decodeImage({ bytes: await grey.png().toBuffer(), ...SIZE, limits });
  expect(pixelAt(data, 3, 3)).toEqual([77, 77, 77]);
});

test('what a profile says of the colours is followed, with 8 bits and with 16', async () => {
  const green = () => sharp({ create: { ...SIZE, channels: 3, background: { r: 30, g: 180, b: 60 } } });
  for (const [space, profile] of [
    ['srgb', 'srgb'],
    ['srgb', 'p3'],
    ['rgb16', 'srgb'],
    ['rgb16', 'p3'],
  ] as const) {
    const bytes = await green().toColourspace(space).withIccProfile(profile).png().toBuffer();
    const { data } = await decodeImage({ bytes, ...SIZE, limits });
    // The same colour has other numbers in P3.
    for (const [channel, value] of pixelAt(data, 3, 3).entries())
      expect(Math.abs(value - ([30, 180, 60][channel] as number))).toBeLessThanOrEqual(2);
  }
});

describe('a transparent picture lies on white, at its own size as at any other', () => {
  const SIDE = 48;
  /** Clear red at the left, where the red must not be seen; black that half shines through at the right. */
  const pixels = Buffer.alloc(4 * SIDE * SIDE);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
    const clear = pixel % SIDE < SIDE / 2;
    pixels.set(clear ? [255, 0, 0, 0] : [0, 0, 0, 128], 4 * pixel);
  }
  const picture = () => sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 4 } });
  /** The same in a palette: entry 0 is clear red, entry 1 half black. */
  const palette = () => {
    const rows = Buffer.alloc((SIDE + 1) * SIDE);
    for (let y = 0; y < SIDE; y++) rows.fill(1, (SIDE + 1) * y + 1 + SIDE / 2, (SIDE + 1) * (y + 1));
    const made = makePng({
      width: SIDE,
      height: SIDE,
      colour: 3,
      rows,
      chunks: [pngChunk('tRNS', Uint8Array.of(0, 128))],
    });
    return replaceChunk(made, 'PLTE', Uint8Array.of(255, 0, 0, 0, 0, 0));
  };
  const greyWithAlpha = () => {
    const rows = Buffer.alloc((2 * SIDE + 1) * SIDE);
    for (let y = 0; y < SIDE; y++) {
      for (let x = SIDE / 2; x < SIDE; x++) rows[(2 * SIDE + 1) * y + 2 + 2 * x] = 128;
    }
    return makePng({ width: SIDE, height: SIDE, colour: 4, rows });
  };

  test.each([
    ['PNG', () => picture().png().toBuffer()],
    ['PNG, 16 bits', () => picture().toColourspace('rgb16').png().toBuffer()],
    ['PNG, interlaced', () => picture().png({ progressive: true }).toBuffer()],
    ['PNG with a palette', async () => palette()],
    ['PNG, grey', async () => greyWithAlpha()],
    ['WebP without loss', () => picture().webp({ lossless: true, exact: true }).toBuffer()],
  ])('%s', async (_, make) => {
    const bytes = await make();
    for (const side of [SIDE, 16, 90]) {
      const { data } = await decodeImage({ bytes, width: side, height: side, limits });
      const row = data.subarray(3 * side * (side >> 1), 3 * side * ((side >> 1) + 1));
      const clear = row.subarray(0, 3);
      const half = row.subarray(3 * (side - 1));
      for (const value of clear) expect(value).toBeGreaterThanOrEqual(254);
      for (const value of half) expect(Math.abs(value - 127)).toBeLessThanOrEqual(2);
      // Nothing of the hidden red at the edge: no pixel is more red than it is green.
      for (let at = 0; at < row.length; at += 3)
        expect((row[at] as number) - (row[at + 1] as number)).toBeLessThanOrEqual(3);
    }
  });
});

test('a transparent WebP with loss lies on white, too', async () => {
  const background = { r: 255, g: 0, b: 0, alpha: 0 };
  const bytes = await sharp({ create: { width: 40, height: 40, channels: 4, background } })
    .webp()
    .toBuffer();
  for (const side of [40, 16, 90]) {
    const { data } = await decodeImage({ bytes, width: side, height: side, limits });
    expect(Math.min(...data)).toBe(255);
  }
});

function replaceChunk(png: Buffer, type: string, data: Uint8Array): Buffer {
  const at = png.indexOf(type) - 4;
  const end = at + 12 + png.readUInt32BE(at);
  return Buffer.concat([png.subarray(0, at), pngChunk(type, data), png.subarray(end)]);
}
