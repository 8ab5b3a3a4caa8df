import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textEncoderConfigSchema } from '../../../lib/export/configs/text-encoder-config.js';
import { unetConfigSchema } from '../../../lib/export/configs/unet-config.js';
import { vaeConfigSchema } from '../../../lib/export/configs/vae-config.js';
import { describeClipTextEncoder } from '../../../lib/export/networks/clip-text-encoder.js';
import { describeUnet } from '../../../lib/export/networks/unet.js';
import { describeVaeDecoder } from '../../../lib/export/networks/vae-decoder.js';
import type { Graph } from '../../../lib/onnx/model.js';
import { TorchGenerator } from '../../../lib/random/torch-generator.js';
import { TEXT_ENCODER, UNET, VAE } from '../../bench/checkpoint/sd-turbo-configs.js';
import { type LowerOptions, lowerContrib } from '../../support/graphs/lower-contrib.js';
import {
  type Describe,
  type Described,
  describeCuda,
  writeNetwork,
  writeWeights,
} from '../../support/graphs/make-network.js';
import { relativeDifference } from '../../support/graphs/relative-difference.js';
import { type Feed, readGraph, runGraph, runToFloats } from '../../support/graphs/run-graph.js';

const scratch = mkdtempSync(join(tmpdir(), 'attention-range-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const unet = (config: object): Describe => {
  const parsed = unetConfigSchema.parse(config);
  return (ops, root) => describeUnet(ops, root, parsed);
};

/** The factors of queries, keys and values, and the scale, of each attention; undefined where there is none. */
function attentions({ graph, plan }: Described) {
  const recipes = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));
  const makers = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  return graph.nodes
    .filter(({ operator }) => operator === 'MultiHeadAttention')
    .map(({ inputs, attributes: { scale } }) => {
      const factors: (number | undefined)[] = [];
      // Back to the product with the weights.
      for (const input of inputs) {
        let node = makers.get(input);
        while (node && node.operator !== 'FusedMatMul') node = makers.get(node.inputs[0] as string);
        const recipe = recipes.get(node?.inputs[1] as string);
        factors.push(...(recipe?.sources.map((_, index) => recipe.sourceFactors?.[index]) ?? []));
      }
      return { factors, scale: scale && 'float' in scale ? scale.float : undefined };
    });
}

describe('the power of two of 1/sqrt(head size)', () => {
  const eighth = { factors: [1 / 8, 1, 1], scale: 1 };
  const cross = { factors: [undefined, undefined, undefined], scale: undefined };

  test("is in the queries' weights of self-attention, and nowhere else, in SD-Turbo's UNet", () => {
    const found = attentions(describeCuda(unet(UNET)));
    expect(found).toHaveLength(32);
    for (const [index, each] of found.entries()) expect(each).toEqual(index % 2 === 0 ? eighth : cross);
  });

  test('leaves the rest of it as the scale where 1/sqrt(head size) is none', () => {
    const config = vaeConfigSchema.parse(VAE);
    const [vae] = attentions(describeCuda((ops, root) => describeVaeDecoder(ops, root, config, [64, 64])));
    expect(vae).toEqual({ factors: [1 / 32, 1, 1], scale: 32 / Math.sqrt(512) });
    const [v15] = attentions(describeCuda(unet({ ...UNET, attention_head_dim: 8 })));
    expect(v15).toEqual({ factors: [1 / 8, 1, 1], scale: 8 / Math.sqrt(40) });
  });

  test("is in the text encoder's biases, too", () => {
    const config = textEncoderConfigSchema.parse(TEXT_ENCODER);
    const described = describeCuda((ops, root) => describeClipTextEncoder(ops, root, config));
    expect(attentions(described)).toEqual(Array(23).fill(eighth));
    const biases = described.plan.tensors.filter(({ name }) => name.endsWith('qkv.bias'));
    expect(biases.map(({ sourceFactors }) => sourceFactors)).toEqual(Array(23).fill([1 / 8, 1, 1]));
  });

  test('is not in an attention that looks at the text alone', () => {
    const found = attentions(describeCuda(unet({ ...UNET, only_cross_attention: true })));
    // The middle has self-attention all the same.
    expect(found.filter(({ scale }) => scale !== undefined)).toHaveLength(1);
  });

  test('is in three tensors where the kernels take no packed ones', () => {
    const [first] = attentions(describeCuda(unet({ ...UNET, attention_head_dim: 80 })));
    expect(first).toEqual({ factors: [1 / 2, 1, 1], scale: 1 });
  });
});

describe('queries whose products with keys reach 200,000', () => {
  /** SD-Turbo's head size; one layer, latents of 8 x 8. */
  const config = {
    ...UNET,
    sample_size: 8,
    block_out_channels: [320],
    down_block_types: ['CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D'],
    layers_per_block: 1,
    attention_head_dim: 5,
    cross_attention_dim: 64,
  };
  const noise = (dims: readonly number[], seed: number): Feed => {
    const size = dims.reduce((product, extent) => product * extent, 1);
    return { data: new TorchGenerator(seed).randn(size), dims };
  };
  const feeds: Record<string, Feed> = {
    sample: noise([1, 4, 8, 8], 1),
    timestep: { data: Float32Array.of(999), dims: [1] },
    encoder_hidden_states: noise([1, 77, 64], 2),
  };
  /** Networks in both dialects whose queries in self-attention are so many times larger. */
  async function write(factor: number): Promise<{ standard: string; cuda: string }> {
    const folder = join(scratch, String(factor));
    await writeWeights(folder, unet(config), 1, (name) => (/attn1\.to_q\.weight$/.test(name) ? factor : 1));
    const standard = await writeNetwork(folder, 'standard', unet(config), 'standard');
    return { standard, cuda: await writeNetwork(folder, 'cuda', unet(config), 'cuda') };
  }
  const lowered = (path: string, options: LowerOptions = {}) =>
    runToFloats(lowerContrib(readGraph(path), { rounds: true, ...options }), path, feeds);
  let large: Awaited<ReturnType<typeof write>>;
  beforeAll(async () => {
    large = await write(LARGE);
  });

  test('are that large, and finite in float16', async () => {
    const sums = await largestScore(lowerContrib(readGraph(large.cuda)), large.cuda, feeds);
    // What they would be with the weights as they are.
    expect(8 * sums).toBeGreaterThan(180_000);
    expect(sums).toBeLessThan(25_000);
  });

  test('draw what they draw where sums are exact, as far as float16 goes', async () => {
    const expected = await runToFloats(readGraph(large.standard), large.standard, feeds);
    const difference = (data: Float32Array) =>
      relativeDifference(data, { dtype: 'F32', shape: [expected.length], data: expected });
    const fused = difference(await lowered(large.cuda, { halfScores: true }));
    const exact = difference(await lowered(large.cuda));
    // Measured: 0.19 and 0.12. At such sizes float16 itself is 8 to 16 off, and softmax takes another key.
    expect(exact).toBeLessThan(0.4);
    expect(fused).toBeLessThan(2 * exact);
  });

  test('end in no number where they are 8 times larger still', async () => {
    const { cuda } = await write(8 * LARGE);
    expect((await lowered(cuda, { halfScores: true })).some(Number.isNaN)).toBe(true);
    expect((await lowered(cuda)).every(Number.isFinite)).toBe(true);
  });
});

/** Brings products that are 36 at most to nearly 200,000. */
const LARGE = 5500;

/** The largest magnitude in Q K^T of the first attention of a lowered graph. */
async function largestScore(graph: Graph, path: string, feeds: Record<string, Feed>): Promise<number> {
  const sums = graph.nodes.find(({ name }) => /^lowered \d+ .*attn1\/MultiHeadAttention\/MatMul$/.test(name));
  const output = { name: sums?.outputs[0] as string, type: 'float32' as const, shape: ['b', 'h', 'q', 'k'] };
  const { data } = await runGraph({ ...graph, outputs: [output] }, path, feeds);
  return (data as Float32Array).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
