import { expect, test } from 'vitest';
import { estimateNodes } from './estimate-nodes.js';
import { KNOWN_TFLOPS, T4 } from './estimate-t4.js';
import type { NodeWork } from './stand-in.js';

const MAP = [1, 64, 64, 320];
const MAP_BYTES = 2 * 64 * 64 * 320;
const node = (operator: string, change: Partial<NodeWork> = {}): NodeWork => ({
  operator,
  activations: MAP_BYTES,
  parameters: 0,
  outputs: MAP_BYTES,
  inputShapes: [MAP],
  outputShapes: [MAP],
  ...change,
});
const estimate = (...work: NodeWork[]) => estimateNodes({ work });
const passes = (...work: NodeWork[]) => (estimate(...work).gigabytes * 1e9) / MAP_BYTES;

test('passes over a map are counted as the kernels make them', () => {
  expect(passes(node('Relu'))).toBeCloseTo(2, 9);
  expect(passes(node('Reshape'))).toBeCloseTo(0, 9);
  expect(passes(node('GroupNorm'))).toBeCloseTo(3, 9);
  // The bias of a convolution is a pass of its own, a bias in front of a normalisation costs one write.
  const weights = [320, 3, 3, 320];
  const convolution = (bias: number[][]) => node('NhwcConv', { inputShapes: [MAP, weights, ...bias] });
  expect(passes(convolution([[320]]), node('GroupNorm'))).toBeCloseTo(7, 9);
  expect(passes(convolution([]), node('SkipGroupNorm', { activations: MAP_BYTES }))).toBeCloseTo(6, 9);
});

test('products are those of convolutions, linear layers and attention', () => {
  const weights = [640, 3, 3, 320];
  const output = [1, 64, 64, 640];
  const convolution = node('NhwcConv', { inputShapes: [MAP, weights], outputShapes: [output] });
  expect(estimate(convolution).tflop * 1e12).toBeCloseTo(2 * 64 * 64 * 640 * 9 * 320, 0);
  const linear = node('FusedMatMul', {
    inputShapes: [
      [1, 77, 1024],
      [4096, 1024],
    ],
    outputShapes: [[1, 77, 4096]],
  });
  expect(estimate(linear).tflop * 1e12).toBeCloseTo(2 * 77 * 1024 * 4096, 0);
  const attention = (...inputShapes: number[][]) =>
    estimate(node('MultiHeadAttention', { inputShapes, outputShapes: [[1, 4096, 320]] })).tflop * 1e12;
  expect(attention([1, 4096, 5, 3, 64])).toBeCloseTo(4 * 4096 * 4096 * 320, 0);
  expect(attention([1, 4096, 320], [1, 77, 5, 2, 64])).toBeCloseTo(4 * 4096 * 77 * 320, 0);
});

test('pictures in one run share the parameters', () => {
  const light = node('Add', { parameters: MAP_BYTES });
  const bytes = (pictures: number) => estimateNodes({ work: [light] }, pictures).gigabytes * 1e9;
  expect(bytes(1)).toBeCloseTo(3 * MAP_BYTES, 0);
  expect(bytes(4)).toBeCloseTo(9 * MAP_BYTES, 0);
  const heavy = node('NhwcConv', { inputShapes: [MAP, [320, 3, 3, 320]], parameters: 2 * 9 * 320 * 320 });
  const time = (pictures: number) => estimateNodes({ work: [heavy] }, pictures).milliseconds;
  expect(time(4)).toBeCloseTo(4 * time(1), 9);
});

test('a node takes as long as its products or its traffic; a bias takes its time besides', () => {
  const weights = [320, 3, 3, 320];
  const heavy = { inputShapes: [MAP, weights], outputShapes: [MAP] };
  const flop = 2 * 64 * 64 * 320 * 9 * 320;
  const ofProducts = (flop / (KNOWN_TFLOPS * 1e12)) * 1000;
  const ofPass = (MAP_BYTES / (T4.gigabytesPerSecond * 1e9)) * 1000;
  expect(estimate(node('NhwcConv', heavy)).milliseconds).toBeCloseTo(ofProducts, 9);
  const biased = { ...heavy, inputShapes: [MAP, weights, [320]] };
  expect(estimate(node('NhwcConv', biased)).milliseconds).toBeCloseTo(ofProducts + 2 * ofPass, 9);
  expect(estimate(node('Relu')).milliseconds).toBeCloseTo(2 * ofPass, 9);
});
