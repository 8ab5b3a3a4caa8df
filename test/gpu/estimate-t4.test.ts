import { expect, test } from 'vitest';
import { estimatePhase, estimateRows, roofline, T4 } from './estimate-t4.js';

/** 65 GFLOP and nearly no memory: 1 ms on a T4. */
const products = { multiplyAdds: 32.5e9, numbersMoved: 1 };
/** 320 MB and no products: 1 ms on a T4. */
const traffic = { multiplyAdds: 0, numbersMoved: 160e6 };

test('an operator takes as long as its products or its traffic, whichever is longer', () => {
  expect(roofline([products], T4)).toBeCloseTo(1, 9);
  expect(roofline([traffic], T4)).toBeCloseTo(1, 9);
  expect(roofline([products, traffic], T4)).toBeCloseTo(2, 9);
  expect(roofline([{ ...products, numbersMoved: 160e6 }], T4)).toBeCloseTo(1, 9);
});

test('the share that was reached there is taken to the T4', () => {
  // Ten times the T4 in everything: the roofline is 0.2 ms, and 0.8 ms were measured.
  const device = { name: 'fast', tflops: 650, gigabytesPerSecond: 3200 };
  const estimate = estimatePhase([products, traffic], 0.8, device);
  expect(estimate.share).toBeCloseTo(0.25, 9);
  expect(estimate.t4Roofline).toBeCloseTo(2, 9);
  expect(estimate.t4AtShare).toBeCloseTo(8, 9);
  expect(estimate.t4Known).toBeCloseTo(65 / 16 + 1, 9);
  expect([estimate.tflop, estimate.gigabytes]).toEqual([0.065, expect.closeTo(0.32, 6)]);
});

test('a picture is the sum of its phases, and its share their mean by time', () => {
  const device = { name: 'same', tflops: 65, gigabytesPerSecond: 320 };
  const phases = new Map([
    ['text_encoder', estimatePhase([products], 1, device)],
    ['unet', estimatePhase([products], 3, device)],
    ['taesd', estimatePhase([products, traffic], 4, device)],
  ]);
  const last = estimateRows(phases).at(-1);
  expect(last?.[0]).toBe('one step, taesd');
  expect(last?.slice(3, 6)).toEqual(['8.0', '24.4', '50 %']);
  // The UNet's share of a third makes 3 ms of it, the other two 1 and 4.
  expect(last?.at(-1)).toBe('8.0');
});
