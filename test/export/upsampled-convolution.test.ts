import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import { convolve } from '../support/graphs/convolve.js';
import { lowerContrib } from '../support/graphs/lower-contrib.js';
import {
  countOperators,
  type Describe,
  readWeights,
  writeNetwork,
  writeWeights,
} from '../support/graphs/make-network.js';
import { readGraph, runGraph } from '../support/graphs/run-graph.js';

const scratch = mkdtempSync(join(tmpdir(), 'upsampled-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const [INPUTS, CHANNELS, BATCH] = [3, 4, 2];
type Size = readonly [height: number, width: number];

function describeNetwork([fromHeight, fromWidth]: Size, [height, width]: Size, bias: boolean): Describe {
  return (ops, root) => {
    const x = ops.inputMap('x', INPUTS, fromHeight, fromWidth);
    const options = { height, width, channels: CHANNELS, bias };
    ops.outputMap('y', ops.upsampledConv2d(root.child('conv'), x, options));
  };
}

describe.each<{ from: Size; to: Size; bias: boolean; convolutions: number }>([
  { from: [5, 3], to: [10, 6], bias: true, convolutions: 4 },
  { from: [4, 7], to: [8, 14], bias: false, convolutions: 4 },
  { from: [1, 1], to: [2, 2], bias: true, convolutions: 4 },
  // Back to a size that was rounded up on the way down, in one or both directions.
  { from: [5, 3], to: [9, 6], bias: true, convolutions: 1 },
  { from: [3, 4], to: [5, 7], bias: true, convolutions: 1 },
  { from: [2, 3], to: [6, 9], bias: true, convolutions: 1 },
  { from: [4, 4], to: [8, 4], bias: true, convolutions: 1 },
])('from $from to $to, bias $bias', ({ from, to, bias, convolutions }) => {
  const folder = join(scratch, `${from}-${to}`);
  const network = describeNetwork(from, to, bias);
  const written = writeWeights(folder, network);
  const dims = [BATCH, INPUTS, ...from];
  const data = new TorchGenerator(7).randn(256).slice(0, BATCH * INPUTS * from[0] * from[1]);

  test.each(['standard', 'cuda'] as const)(
    'the dialect %s gives what is defined, with sums where they serve',
    async (dialect) => {
      await written;
      const path = await writeNetwork(folder, dialect, network, dialect);
      const graph = readGraph(path);
      const counts = countOperators(graph);
      const expectedConvolutions = dialect === 'cuda' ? Math.ceil(convolutions / 2) : convolutions;
      expect((counts['Conv'] ?? 0) + (counts['NhwcConv'] ?? 0)).toBe(expectedConvolutions);
      expect(counts['Resize'] ?? 0).toBe(convolutions === 1 ? 1 : 0);

      const y = await runGraph(lowerContrib(graph), path, { x: { data, dims } });
      const weights = await readWeights(folder);
      const expected = convolve({ data, dims }, weights, 'conv', to);
      expect(y.dims).toEqual([BATCH, CHANNELS, ...to]);
      const errors = [...expected].map((value, at) => Math.abs(value - (y.data[at] as number)));
      // The dialect cuda rounds its sums to float16.
      expect(Math.max(...errors)).toBeLessThan(dialect === 'cuda' ? 4e-3 : 1e-5);
    },
  );
});
