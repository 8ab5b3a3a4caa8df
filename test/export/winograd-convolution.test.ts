import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ConvolutionOptions } from '../../lib/export/dialects/operators.js';
import type { WinogradLimits } from '../../lib/export/dialects/winograd-convolution.js';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import { convolve } from '../support/graphs/convolve.js';
import {
  countOperators,
  type Describe,
  readWeights,
  writeNetwork,
  writeWeights,
} from '../support/graphs/make-network.js';
import { readGraph, runGraph } from '../support/graphs/run-graph.js';

const scratch = mkdtempSync(join(tmpdir(), 'winograd-'));
afterAll(() => rmSync(scratch, { recursive: true }));

type Size = readonly [height: number, width: number];

function describeNetwork(inputs: number, [height, width]: Size, options: ConvolutionOptions): Describe {
  return (ops, root) => {
    const x = ops.inputMap('x', inputs, height, width);
    ops.outputMap('y', ops.conv2d(root.child('conv'), x, options));
  };
}

const ALWAYS: readonly WinogradLimits[] = [{ channels: 1, tiles: 1 }];

function largest(numbers: Float64Array): number {
  return numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}

describe.each<{
  inputs: number;
  channels: number;
  size: Size;
  batch: number;
  bias: boolean;
  strips?: number;
}>([
  { inputs: 3, channels: 5, size: [4, 4], batch: 1, bias: true },
  { inputs: 1, channels: 1, size: [8, 4], batch: 1, bias: false },
  { inputs: 7, channels: 2, size: [4, 12], batch: 3, bias: true },
  { inputs: 16, channels: 32, size: [12, 8], batch: 2, bias: false },
  { inputs: 64, channels: 32, size: [16, 20], batch: 1, bias: true },
  { inputs: 64, channels: 1, size: [132, 256], batch: 2, bias: false, strips: 2 },
  { inputs: 2, channels: 64, size: [268, 256], batch: 1, bias: true, strips: 3 },
])('$inputs to $channels channels, $size, $batch at once, bias $bias', (shape) => {
  const { inputs, channels, size, batch, bias, strips = 1 } = shape;

  test('what is done by tiles is what is defined', async () => {
    const folder = join(scratch, [inputs, channels, ...size].join('-'));
    const network = describeNetwork(inputs, size, { channels, kernel: 3, bias });
    await writeWeights(folder, network);
    const path = await writeNetwork(folder, 'tiles', network, 'standard', { winograd: ALWAYS });
    const graph = readGraph(path);
    expect(countOperators(graph)['DepthToSpace']).toBe(strips);

    const dims = [batch, inputs, ...size];
    const data = new TorchGenerator(7).randn(batch * inputs * size[0] * size[1]);
    const y = await runGraph(graph, path, { x: { data, dims } });
    expect(y.dims).toEqual([batch, channels, ...size]);
    const expected = convolve({ data, dims }, await readWeights(folder), 'conv', size);
    const errors = expected.map((value, at) => value - (y.data[at] as number));
    expect(largest(errors) / largest(expected)).toBeLessThan(1e-5);
  });
});

describe('by tiles', () => {
  const plain: ConvolutionOptions = { channels: 256, kernel: 3 };
  const cases: { what: string; inputs: number; size: Size; options: ConvolutionOptions; tiles: boolean }[] = [
    { what: 'many channels and tiles', inputs: 256, size: [32, 32], options: plain, tiles: true },
    { what: 'fewer channels in', inputs: 128, size: [32, 32], options: plain, tiles: false },
    { what: 'fewer out', inputs: 256, size: [32, 32], options: { ...plain, channels: 128 }, tiles: false },
    {
      what: 'fewer channels, and many tiles',
      inputs: 128,
      size: [512, 512],
      options: { ...plain, channels: 128 },
      tiles: true,
    },
    { what: 'fewer tiles', inputs: 256, size: [16, 32], options: plain, tiles: false },
    { what: 'a tile that is not whole', inputs: 256, size: [33, 36], options: plain, tiles: false },
    { what: 'one tap', inputs: 256, size: [32, 32], options: { ...plain, kernel: 1 }, tiles: false },
    {
      what: 'every other result',
      inputs: 256,
      size: [32, 32],
      options: { ...plain, stride: 2 },
      tiles: false,
    },
    {
      what: 'padding of its own',
      inputs: 256,
      size: [32, 32],
      options: { ...plain, padding: [0, 0, 1, 1] },
      tiles: false,
    },
  ];

  test.each(cases)('$what: $tiles', async ({ what, inputs, size, options, tiles }) => {
    const folder = join(scratch, what);
    const network = describeNetwork(inputs, size, options);
    await writeWeights(folder, network);
    const counts = countOperators(readGraph(await writeNetwork(folder, 'graph', network, 'standard')));
    expect('DepthToSpace' in counts).toBe(tiles);
  });
});
