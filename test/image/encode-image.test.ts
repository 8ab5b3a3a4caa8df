import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeImage, type RgbImage } from '../../lib/image/encode-image.js';
import { crc32 } from '../../lib/weights/bytes/crc32.js';

/** Smooth and noisy parts, sides that are not alike, no alignment to 8 or 16. */
function picture(width = 61, height = 43): RgbImage {
  const value = (i: number) => (i % 3 === 0 ? i >> 5 : Math.imul(i, 2654435761) >>> 24);
  return { data: Uint8Array.from({ length: 3 * width * height }, (_, i) => value(i)), width, height };
}

async function decode(bytes: Buffer): Promise<RgbImage> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function readChunks(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, end) });
    expect(png.readUInt32BE(end)).toBe(crc32(png.subarray(at + 4, end)));
    at = end + 4;
  }
  return chunks;
}

describe('encodeImage', () => {
  it('keeps every pixel in a png', async () => {
    expect(await decode(await encodeImage(picture(), 'png'))).toEqual(picture());
  });

  it('takes data that starts in the middle of a larger buffer', async () => {
    const { data, width, height } = picture();
    const batch = new Uint8Array(2 * data.length);
    batch.set(data, data.length);
    const second = { data: batch.subarray(data.length), width, height };
    expect(await decode(await encodeImage(second, 'png'))).toEqual(picture());
  });

  it.each(['jpeg', 'webp'] as const)(
    'makes a %s of the same size and nearly the same colour',
    async (format) => {
      const data = Uint8Array.from({ length: 3 * 64 * 32 }, (_, i) => [200, 30, 90][i % 3] as number);
      const bytes = await encodeImage({ data, width: 64, height: 32 }, format);
      expect((await sharp(bytes).metadata()).format).toBe(format);
      const decoded = await decode(bytes);
      expect([decoded.width, decoded.height]).toEqual([64, 32]);
      expect(Math.max(...decoded.data.map((value, i) => Math.abs(value - (data[i] as number))))).toBeLessThan(
        6,
      );
    },
  );

  it.each(['png', 'jpeg', 'webp'] as const)('makes the same %s of the same picture', async (format) => {
    const text = { prompt: 'a tree', seed: '42' };
    const [first, second] = await Promise.all([1, 2].map(() => encodeImage(picture(), format, text)));
    expect(second).toEqual(first);
  });

  it('stores texts in a png, in order and before the pixels', async () => {
    const png = await encodeImage(picture(), 'png', {
      prompt: 'crème,\nbrûlée',
      seed: '42',
      'Prompt 2': '東京 🚀',
    });
    const chunks = readChunks(png);
    const types = chunks.map((chunk) => chunk.type);
    expect(types.slice(0, 4)).toEqual(['IHDR', 'tEXt', 'tEXt', 'iTXt']);
    expect(types.at(-1)).toBe('IEND');
    expect(chunks[1]?.data.toString('latin1')).toBe('prompt\0crème,\nbrûlée');
    expect(chunks[2]?.data.toString('latin1')).toBe('seed\x0042');
    expect(chunks[3]?.data.toString('utf8')).toBe('Prompt 2\0\0\0\0\0東京 🚀');
    expect(await decode(png)).toEqual(picture());
    // A reader that is not ours.
    expect((await sharp(png).metadata()).comments).toEqual(
      expect.arrayContaining([
        { keyword: 'prompt', text: expect.any(String) },
        { keyword: 'seed', text: '42' },
      ]),
    );
  });

  it.each(['', ' seed', 'seed ', 'two  spaces', 'new\nline', 'no\u00a0break', 'x'.repeat(80), '東京'])(
    'refuses the keyword %j',
    async (keyword) => {
      await expect(encodeImage(picture(), 'png', { [keyword]: 'x' })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    },
  );

  it.each([['a\0b'], ['x'.repeat(64 * 1024 + 1)]])(
    'refuses a text that a png cannot hold (%#)',
    async (value) => {
      await expect(encodeImage(picture(), 'png', { prompt: value })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    },
  );

  it.each([
    [{ data: new Uint8Array(11), width: 2, height: 2 }, /11 bytes, not 3 \* 2 \* 2/],
    [{ data: new Uint8Array(0), width: 0, height: 2 }, /not 0/],
    [{ data: new Uint8Array(3), width: 1.5, height: 2 / 3 }, /not 1.5/],
    [{ data: new Uint8Array(3), width: 8193, height: 1 }, /not 8193/],
  ])('refuses a picture whose data does not fit it (%#)', async (image, message) => {
    await expect(encodeImage(image, 'jpeg')).rejects.toThrow(message);
  });
});
