import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/image/decode-image.js';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';

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
  const { data, width, height } = await decodeImage({ bytes, ...SIZE });
  expect({ width, height }).toEqual(SIZE);
  expect(Buffer.from(data)).toEqual(await halves(16, 16).raw().toBuffer());
});

test.each(['jpeg', 'webp', 'png'] as const)(
  '%s of another shape is scaled and cut at the centre',
  async (format) => {
    const bytes = await halves(64, 32).toFormat(format).toBuffer();
    const { data } = await decodeImage({ bytes, ...SIZE });
    expect(data).toHaveLength(3 * 16 * 16);
    const [left, right] = [pixelAt(data, 0, 8), pixelAt(data, 15, 8)] as [number[], number[]];
    expect(left[0]).toBeGreaterThan(200);
    expect(left[2]).toBeLessThan(60);
    expect(right[2]).toBeGreaterThan(200);
  },
);

test('EXIF turns it', async () => {
  // 6: the camera was turned by a quarter, so that the left of the file is the top of the picture.
  const bytes = await halves(16, 16).withMetadata({ orientation: 6 }).png().toBuffer();
  const { data } = await decodeImage({ bytes, ...SIZE });
  expect(pixelAt(data, 8, 0)).toEqual([255, 0, 0]);
  expect(pixelAt(data, 8, 15)).toEqual([0, 0, 255]);
});

test('transparency is dropped, grey becomes colour', async () => {
  const clear = sharp({ create: { ...SIZE, channels: 4, background: { r: 9, g: 8, b: 7, alpha: 0.5 } } });
  const { data } = await decodeImage({ bytes: await clear.png().toBuffer(), ...SIZE });
  expect(pixelAt(data, 3, 3)).toEqual([9, 8, 7]);
  const grey = sharp(Buffer.alloc(256, 77), { raw: { ...SIZE, channels: 1 } }).toColourspace('b-w');
  const drawn = await decodeImage({ bytes: await grey.png().toBuffer(), ...SIZE });
  expect(pixelAt(drawn.data, 3, 3)).toEqual([77, 77, 77]);
});

describe('what is refused names the image', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  test.each([
    ['nothing', async () => Buffer.alloc(0)],
    ['text', async () => Buffer.from('not a picture')],
    ['another format', async () => Buffer.from(svg)],
    ['a GIF', async () => halves(16, 16).gif().toBuffer()],
    ['a file that breaks off', async () => (await halves(64, 64).jpeg().toBuffer()).subarray(0, 300)],
    ['too many bytes', async () => Buffer.alloc(MAX_IMAGE_BYTES + 1)],
    ['too many pixels in few bytes', async () => bomb()],
  ])('%s', async (_, make) => {
    await expect(decodeImage({ bytes: await make(), ...SIZE })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^image: must [^\n]+$/),
    });
  });
});

/** A PNG of 100 megapixels and some 100 kB. */
function bomb(): Promise<Buffer> {
  const background = { r: 0, g: 0, b: 0 };
  return sharp({ create: { width: 10_000, height: 10_000, channels: 3, background } })
    .png()
    .toBuffer();
}
