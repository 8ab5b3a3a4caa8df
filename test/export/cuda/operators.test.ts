import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unetConfigSchema } from '../../../lib/export/configs/unet-config.js';
import { vaeConfigSchema } from '../../../lib/export/configs/vae-config.js';
import {
  takesBiasAdd,
  takesBiasSplitGelu,
  takesGroupNorm,
  takesPackedHeads,
  takesPadding,
} from '../../../lib/export/dialects/cuda/kernel-limits.js';
import { describeUnet } from '../../../lib/export/networks/unet.js';
import { describeVaeDecoder } from '../../../lib/export/networks/vae-decoder.js';
import type { Graph, Node } from '../../../lib/onnx/model.js';
import { TorchGenerator } from '../../../lib/random/torch-generator.js';
import { lowerContrib } from '../../support/graphs/lower-contrib.js';
import {
  countOperators,
  type Describe,
  describeCuda,
  writeNetwork,
  writeWeights,
} from '../../support/graphs/make-network.js';
import { relativeDifference } from '../../support/graphs/relative-difference.js';
import { type Feed, readGraph, runToFloats } from '../../support/graphs/run-graph.js';

const scratch = mkdtempSync(join(tmpdir(), 'cuda-operators-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const noise = (dims: readonly number[], seed: number): Feed => {
  const size = dims.reduce((product, extent) => product * extent, 1);
  return { data: new TorchGenerator(seed).randn(Math.max(16, size)).slice(0, size), dims };
};
const difference = (got: Float32Array, expected: Float32Array) =>
  relativeDifference(got, { dtype: 'F32', shape: [expected.length], data: expected });

/** One level of SD-Turbo's own width, which the kernels with fixed widths take; one layer, latents of 8 x 8. */
const WIDE = {
  _class_name: 'UNet2DConditionModel',
  sample_size: 8,
  block_out_channels: [320],
  down_block_types: ['CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D'],
  layers_per_block: 1,
  attention_head_dim: 5,
  cross_attention_dim: 64,
  use_linear_projection: true,
};
const unet = (config: object): Describe => {
  const parsed = unetConfigSchema.parse(config);
  return (ops, root) => describeUnet(ops, root, parsed);
};

describe('a UNet of 320 channels', () => {
  const folder = join(scratch, 'wide');
  const feeds = (batch: number): Record<string, Feed> => ({
    sample: noise([batch, 4, 8, 8], 1),
    timestep: { data: new Float32Array(batch).fill(999), dims: [batch] },
    encoder_hidden_states: noise([batch, 77, 64], 2),
  });
  let standard: string;
  let cuda: string;
  beforeAll(async () => {
    await writeWeights(folder, unet(WIDE));
    standard = await writeNetwork(folder, 'standard', unet(WIDE), 'standard');
    cuda = await writeNetwork(folder, 'cuda', unet(WIDE), 'cuda');
  });

  test('has every fused operator, and no Transpose', () => {
    expect(countOperators(readGraph(cuda))).toMatchObject({
      NhwcConv: 14,
      GroupNorm: 2,
      SkipGroupNorm: 13,
      MultiHeadAttention: 8,
      LayerNormalization: 4,
      SkipLayerNormalization: 8,
      BiasSplitGelu: 4,
      BiasAdd: 6,
      Cast: 4,
    });
    expect(countOperators(readGraph(cuda))).not.toHaveProperty('Transpose');
  });

  // Measured: 2.3e-5 and 1.2e-3.
  test('gives what the dialect standard gives', async () => {
    const expected = await runToFloats(readGraph(standard), standard, feeds(1));
    const graph = readGraph(cuda);
    const [exact, rounded] = [
      difference(await runToFloats(lowerContrib(graph), cuda, feeds(1)), expected),
      difference(await runToFloats(lowerContrib(graph, { rounds: true }), cuda, feeds(1)), expected),
    ];
    expect(exact).toBeLessThan(5e-5);
    expect(rounded).toBeLessThan(2.5e-3);
  });

  test('takes two pictures at once', async () => {
    const graph = lowerContrib(readGraph(cuda));
    const both = await runToFloats(graph, cuda, feeds(2));
    const half = both.length / 2;
    const { sample, encoder_hidden_states: text } = feeds(2) as Record<
      'sample' | 'encoder_hidden_states',
      Feed
    >;
    for (const index of [0, 1]) {
      const part = ({ data, dims: [, ...dims] }: Feed): Feed => {
        const size = data.length / 2;
        return { data: data.slice(index * size, (index + 1) * size), dims: [1, ...dims] };
      };
      const one = { ...feeds(1), sample: part(sample), encoder_hidden_states: part(text) };
      const alone = await runToFloats(graph, cuda, one);
      expect(difference(both.slice(index * half, (index + 1) * half), alone)).toBeLessThan(1e-5);
    }
  });

  test('has its attention in float32 where the checkpoint asks for it', async () => {
    const upcast = unet({ ...WIDE, upcast_attention: true });
    const path = await writeNetwork(folder, 'upcast', upcast, 'cuda');
    const graph = readGraph(path);
    const attentions = graph.nodes.filter(({ operator }) => operator === 'MultiHeadAttention');
    for (const { inputs } of attentions)
      for (const input of inputs) expect(makerOf(graph, input)?.operator).toBe('Cast');
    expect(countOperators(graph)['Cast']).toBe(4 + 4 * 2 + 4 * 3);
    const expected = await runToFloats(readGraph(standard), standard, feeds(1));
    expect(difference(await runToFloats(lowerContrib(graph), path, feeds(1)), expected)).toBeLessThan(5e-5);
  });
});

test('zeros on two sides only are added by a node of their own', () => {
  const { graph } = describeCuda(
    unet({
      ...WIDE,
      block_out_channels: [320, 320],
      down_block_types: ['DownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'UpBlock2D'],
      downsample_padding: 0,
    }),
  );
  expect(countOperators(graph)['Pad']).toBe(1);
  const pads = graph.nodes.flatMap(({ attributes }) => {
    const each = attributes['pads'];
    return each && 'ints' in each ? [each.ints] : [];
  });
  expect(pads.every(([top, left, bottom, right]) => top === bottom && left === right)).toBe(true);
});

describe('a VAE whose residuals leave float16', () => {
  const config = vaeConfigSchema.parse({
    _class_name: 'AutoencoderKL',
    block_out_channels: [64, 64],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  });
  const folder = join(scratch, 'vae');
  /** What puts numbers into the stream of residuals; the upsampler's weights see them already. */
  const INTO_STREAM =
    /^decoder\.(conv_in\.|mid_block\.attentions\.0\.to_out|.*\.conv2\.|.*\.upsamplers\.0\.conv\.bias)/;
  const describeVae: Describe = (ops, root) => describeVaeDecoder(ops, root, config, [8, 8]);

  // 2^14 times as much in that stream is the same picture: every reader of it is a GroupNorm.
  test('is decoded with headroom, and not without', async () => {
    await writeWeights(folder, describeVae);
    const feeds = { latent_sample: noise([1, 4, 8, 8], 3) };
    const run = (graph: Graph, path: string) => runToFloats(graph, path, feeds);
    const modest = await writeNetwork(folder, 'modest', describeVae, 'cuda');
    const expected = await run(lowerContrib(readGraph(modest)), modest);

    const loud = join(scratch, 'loud');
    await writeWeights(loud, describeVae, 1, (name) => (INTO_STREAM.test(name) ? 2 ** 14 : 1));
    const decode = async (headroom: number) => {
      const path = await writeNetwork(loud, `headroom-${headroom}`, describeVae, 'cuda', { headroom });
      return run(lowerContrib(readGraph(path), { rounds: true }), path);
    };
    expect((await decode(1)).some(Number.isNaN)).toBe(true);
    // Measured: 1.0e-3.
    expect(difference(await decode(1 / 16), expected)).toBeLessThan(2e-3);
  });
});

describe('what the kernels take', () => {
  test.each([2560, 5120, 10240])('BiasSplitGelu %d', (width) => expect(takesBiasSplitGelu(width)).toBe(true));
  test.each([1280, 2048, 6144])('no BiasSplitGelu %d', (width) =>
    expect(takesBiasSplitGelu(width)).toBe(false),
  );
  test.each([320, 640, 1280])('BiasAdd %d', (channels) => expect(takesBiasAdd(channels)).toBe(true));
  test.each([64, 512, 960])('no BiasAdd %d', (channels) => expect(takesBiasAdd(channels)).toBe(false));
  test.each([
    [320, 32],
    [2560, 32],
    [128, 32],
    [64, 32],
    [512, 1],
  ])('GroupNorm of %d channels in %d groups', (channels, groups) =>
    expect(takesGroupNorm(channels, groups)).toBe(true),
  );
  test.each([
    [32, 32],
    [96, 32],
    [1024, 1],
  ])('no GroupNorm of %d channels in %d groups', (channels, groups) =>
    expect(takesGroupNorm(channels, groups)).toBe(false),
  );
  test.each([8, 40, 64, 80, 160, 512])('packed heads of %d', (size) =>
    expect(takesPackedHeads(size)).toBe(true),
  );
  test.each([1, 4, 20, 36])('no packed heads of %d', (size) => expect(takesPackedHeads(size)).toBe(false));
  test('padding', () => {
    expect([takesPadding([1, 1, 1, 1]), takesPadding([1, 2, 1, 2]), takesPadding([0, 0, 1, 1])]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

function makerOf({ nodes }: Graph, value: string): Node | undefined {
  return nodes.find(({ outputs }) => outputs.includes(value));
}
