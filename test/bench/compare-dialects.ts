/**
 * Runs every network of a bundle of the dialect `cuda` on the CPU, each of ONNX Runtime's own operators replaced by its
 * documented meaning, beside the same network of a `standard` bundle in float32. Prints the largest difference in parts of
 * the largest number: with float32 values and rounded weights, and with every value rounded to float16 that is float16 in
 * the graph. At full size that takes about five minutes and 8 GB of memory, and works beside the graphs in both bundles.
 *
 *   node test/support/run-ts.mjs test/bench/compare-dialects.ts --standard DIR --cuda DIR
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Graph } from '../../lib/onnx/model.js';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import { lowerContrib } from '../support/graphs/lower-contrib.js';
import { type Feed, readGraph, runToFloats } from '../support/graphs/run-graph.js';

const SEED = 5;
const TIMESTEP = 999;

const { values } = parseArgs({ options: { standard: { type: 'string' }, cuda: { type: 'string' } } });
const { standard, cuda } = values;
if (!standard || !cuda) throw new Error('--standard and --cuda are needed');

function noise({ inputs }: Graph): Record<string, Feed> {
  const feeds = inputs.map(({ name, shape }): [string, Feed] => {
    const dims = shape.map((extent) => (typeof extent === 'number' ? extent : 1));
    const size = dims.reduce((product, extent) => product * extent, 1);
    if (name === 'timestep') return [name, { data: Float32Array.of(TIMESTEP), dims }];
    if (name === 'input_ids') return [name, { data: Int32Array.from({ length: size }, (_, at) => at), dims }];
    return [name, { data: new TorchGenerator(SEED).randn(size), dims }];
  });
  return Object.fromEntries(feeds);
}

function difference(got: Float32Array, expected: Float32Array): string {
  let [largest, most] = [0, 0];
  for (const [index, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    most = Math.max(most, Math.abs(value - (got[index] as number)));
  }
  return (most / largest).toPrecision(2);
}

for (const part of ['text_encoder', 'unet', 'vae_decoder', 'taesd_decoder']) {
  const [theirs, ours] = [standard, cuda].map((bundle) => join(bundle, part, 'model.onnx')) as [
    string,
    string,
  ];
  if (!existsSync(theirs) || !existsSync(ours)) continue;
  const feeds = noise(readGraph(theirs));
  const expected = await runToFloats(readGraph(theirs), theirs, feeds);
  const [exact, rounded] = [false, true].map((rounds) => lowerContrib(readGraph(ours), { rounds })) as [
    Graph,
    Graph,
  ];
  const inFloat32 = difference(await runToFloats(exact, ours, feeds), expected);
  const inFloat16 = difference(await runToFloats(rounded, ours, feeds), expected);
  console.log(`${part}: ${inFloat32} in float32, ${inFloat16} in float16`);
}
