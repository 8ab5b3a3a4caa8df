import { expect, test } from 'vitest';
import { floatToHalf, halfToFloat } from '../../lib/runtime/half.js';

test('every half precision number comes back', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = halfToFloat(bits);
    if (Number.isNaN(value)) expect(Number.isNaN(halfToFloat(floatToHalf(value)))).toBe(true);
    else if (floatToHalf(value) !== bits) expect.fail(`bits ${bits} came back as ${floatToHalf(value)}`);
  }
});

// numpy 2.4: np.float32(value).astype(np.float16).view(np.uint16)
test.each([
  [0.1, 0x2e66],
  [-2.5, 0xc100],
  [65504, 0x7bff],
  [65519.996, 0x7bff],
  [65520, 0x7c00],
  [-1e10, 0xfc00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.001, 0x0001],
  [3 * 2 ** -25, 0x0002],
  [2 ** -14 * (1 - 2 ** -12), 0x0400],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [-0, 0x8000],
])('%d rounds to the nearest, ties to even', (value, bits) => {
  expect(floatToHalf(value)).toBe(bits);
});
