import { describe, expect, test } from 'vitest';
import { resizeImage, tellResize } from '../../lib/image/resize-image.js';

/** Red to the left, blue to the right, and a green frame of 8 pixels above and below. */
function striped(side: number) {
  const data = new Uint8Array(3 * side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const colour = y < 8 || y >= side - 8 ? [0, 255, 0] : x < side / 2 ? [255, 0, 0] : [0, 0, 255];
      data.set(colour, 3 * (y * side + x));
    }
  return { data, width: side, height: side };
}

const at = ({ data, width }: { data: Uint8Array; width: number }, x: number, y: number) =>
  Array.from(data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3));

describe('resizeImage', () => {
  test('one that has the size already is the same one', async () => {
    const image = striped(64);
    expect(await resizeImage(image, { width: 64, height: 64 })).toBe(image);
  });

  test.each([
    [128, 128],
    [32, 32],
    [96, 64],
    [64, 96],
    [1792, 1024],
  ])('%d x %d', async (width, height) => {
    const { data, ...size } = await resizeImage(striped(64), { width, height });
    expect(size).toEqual({ width, height });
    expect(data).toHaveLength(3 * width * height);
  });

  test('nothing is distorted: a wide one has lost what is above and below, a tall one the sides', async () => {
    const wide = await resizeImage(striped(64), { width: 128, height: 64 });
    expect(at(wide, 10, 0)).toEqual([255, 0, 0]);
    expect(at(wide, 117, 63)).toEqual([0, 0, 255]);
    const tall = await resizeImage(striped(64), { width: 64, height: 128 });
    expect(at(tall, 10, 2)).toEqual([0, 255, 0]);
    expect(at(tall, 10, 64)).toEqual([255, 0, 0]);
  });

  test('a flat colour stays what it is, to the edge', async () => {
    const data = new Uint8Array(3 * 16 * 16).fill(137);
    const larger = await resizeImage({ data, width: 16, height: 16 }, { width: 75, height: 31 });
    expect(new Set(larger.data)).toEqual(new Set([137]));
  });
});

test('what is told says both sizes, and whether something is missing', () => {
  const own = { width: 512, height: 512 };
  expect(tellResize(own, own)).toBeUndefined();
  expect(tellResize(own, { width: 1024, height: 1024 })).toMatch(/512x512.*1024x1024 \(Lanczos\)$/);
  expect(tellResize(own, { width: 1792, height: 1024 })).toMatch(/1792x1024.*without the edges/);
});
