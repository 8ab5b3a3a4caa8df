import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { GraphBuilder, type NodeOptions } from '../../../lib/onnx/graph-builder.js';
import type { Graph } from '../../../lib/onnx/model.js';
import { TorchGenerator } from '../../../lib/random/torch-generator.js';
import { lowerContrib } from '../../support/graphs/lower-contrib.js';
import { relativeDifference } from '../../support/graphs/relative-difference.js';
import { type Feed, runGraph } from '../../support/graphs/run-graph.js';

const scratch = mkdtempSync(join(tmpdir(), 'lowerings-'));
afterAll(() => rmSync(scratch, { recursive: true }));

type Inputs = Readonly<Record<string, readonly number[]>>;

/** One operator of ONNX Runtime's own on inputs of these shapes. */
function graphOf(operator: string, inputs: Inputs, options: NodeOptions = {}): Graph {
  const builder = new GraphBuilder(operator);
  const names = Object.entries(inputs).map(([name, shape]) => builder.input(name, 'float32', shape));
  const outputs = builder.nodeOutputs('it', operator, names, { ...options, domain: 'com.microsoft' });
  const last = outputs.at(-1) as string;
  builder.output('y', 'float32', ['a', 'b', 'c', 'd'].slice(0, rankOf(operator, inputs)), last);
  return builder.build();
}

const rankOf = (operator: string, inputs: Inputs) =>
  operator === 'MultiHeadAttention' ? 3 : Math.max(...Object.values(inputs).map(({ length }) => length));

function noise(inputs: Inputs): Record<string, Feed> {
  const feeds = Object.entries(inputs).map(([name, dims], index): [string, Feed] => {
    const size = dims.reduce((product, extent) => product * extent, 1);
    return [name, { data: new TorchGenerator(index).randn(Math.max(16, size)).slice(0, size), dims }];
  });
  return Object.fromEntries(feeds);
}

async function run(graph: Graph, feeds: Readonly<Record<string, Feed>>): Promise<Float32Array> {
  return (await runGraph(graph, join(scratch, 'x.onnx'), feeds)).data as Float32Array;
}

function assertEqual(got: Float32Array, data: Float32Array): void {
  expect(relativeDifference(got, { dtype: 'F32', shape: [data.length], data })).toBeLessThan(1e-5);
}

// Where ONNX Runtime has a CPU kernel, it is the judge of the lowering.
describe('a lowering gives what the operator gives', () => {
  const rows = [2, 5, 24] as const;
  const int = (value: number) => ({ int: value });
  test.each<[string, string, Inputs, NodeOptions]>([
    ['weights as torch has them', 'FusedMatMul', { x: rows, w: [7, 24] }, { attributes: { transB: int(1) } }],
    [
      'both swapped and scaled',
      'FusedMatMul',
      { x: [2, 24, 5], w: [2, 7, 24] },
      { attributes: { transA: int(1), transB: int(1), alpha: { float: 0.5 } } },
    ],
    ['rows to planes', 'FusedMatMul', { i: [7, 24], x: [2, 5, 24] }, { attributes: { transB: int(1) } }],
    ['planes to rows', 'FusedMatMul', { x: [2, 24, 5], i: [24, 7] }, { attributes: { transA: int(1) } }],
    [
      'normed',
      'SkipLayerNormalization',
      { x: rows, skip: rows, gamma: [24], beta: [24], bias: [24] },
      { attributes: { epsilon: { float: 1e-5 } } },
    ],
    [
      'its sum',
      'SkipLayerNormalization',
      { x: rows, skip: rows, gamma: [24], beta: [24], bias: [24] },
      { attributes: { epsilon: { float: 1e-5 } }, outputs: 4 },
    ],
    ['by erf', 'BiasGelu', { x: rows, bias: [24] }, {}],
    ['SiLU', 'QuickGelu', { x: rows }, { attributes: { alpha: { float: 1 } } }],
    [
      'of 3 heads',
      'MultiHeadAttention',
      { q: rows, k: [2, 9, 24], v: [2, 9, 24] },
      { attributes: { num_heads: int(3) } },
    ],
    [
      'causal',
      'MultiHeadAttention',
      { q: rows, k: rows, v: rows },
      { attributes: { num_heads: int(3), unidirectional: int(1) } },
    ],
    [
      'with a scale',
      'MultiHeadAttention',
      { q: rows, k: rows, v: rows },
      { attributes: { num_heads: int(3), scale: { float: 1 } } },
    ],
  ])('%s: %s', async (_, operator, inputs, options) => {
    const graph = graphOf(operator, inputs, options);
    const feeds = noise(inputs);
    assertEqual(await run(lowerContrib(graph), feeds), await run(graph, feeds));
  });
});

describe('packed attention is the attention of its parts', () => {
  const [batch, length, heads, size] = [2, 5, 3, 8];
  const attributes = { num_heads: { int: heads } };
  const plain = {
    q: [batch, length, heads * size],
    k: [batch, 7, heads * size],
    v: [batch, 7, heads * size],
  };

  /** Rows [B, S, heads * size] each as one [B, S, heads, parts, size]. */
  function pack(...parts: readonly Feed[]): Feed {
    const [first] = parts as [Feed];
    const rows = first.dims[1] as number;
    const data = new Float32Array(parts.length * first.data.length);
    for (let at = 0; at < data.length; at++) {
      const [within, rest] = [at % size, Math.floor(at / size)];
      const [part, head] = [rest % parts.length, Math.floor(rest / parts.length)];
      data[at] = parts[part]?.data[head * size + within] as number;
    }
    return { data, dims: [batch, rows, heads, parts.length, size] };
  }

  test('keys and values', async () => {
    const feeds = noise(plain) as Record<'q' | 'k' | 'v', Feed>;
    const kv = pack(feeds.k, feeds.v);
    const packed = graphOf('MultiHeadAttention', { q: plain.q, kv: kv.dims }, { attributes });
    const expected = await run(graphOf('MultiHeadAttention', plain, { attributes }), feeds);
    assertEqual(await run(lowerContrib(packed), { q: feeds.q, kv }), expected);
  });

  test('queries too', async () => {
    const inputs = { q: plain.q, k: plain.q, v: plain.q };
    const feeds = noise(inputs) as Record<'q' | 'k' | 'v', Feed>;
    const qkv = pack(feeds.q, feeds.k, feeds.v);
    const packed = graphOf('MultiHeadAttention', { qkv: qkv.dims }, { attributes });
    const expected = await run(graphOf('MultiHeadAttention', inputs, { attributes }), feeds);
    assertEqual(await run(lowerContrib(packed), { qkv }), expected);
  });
});

// ONNX Runtime has no CPU kernel for these: the judge is arithmetic written out.
describe('in NHWC', () => {
  const [height, width, channels, groups] = [3, 4, 8, 2];
  const x = [2, height, width, channels];
  const at = (data: Feed['data'], index: number) => data[index] as number;

  /** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta over each picture's groups, then x * sigmoid(x). */
  function groupNorm(data: Feed['data'], gamma: Feed['data'], beta: Feed['data']): Float32Array {
    const pixels = height * width * channels;
    return Float32Array.from(data, (value, index) => {
      const channel = index % channels;
      const group = Math.floor((channel * groups) / channels);
      const picture = Math.floor(index / pixels);
      const its = [...data.slice(picture * pixels, (picture + 1) * pixels)].filter(
        (_, other) => Math.floor(((other % channels) * groups) / channels) === group,
      );
      const mean = its.reduce((sum, each) => sum + each, 0) / its.length;
      const variance = its.reduce((sum, each) => sum + (each - mean) ** 2, 0) / its.length;
      const y = (at(gamma, channel) * (value - mean)) / Math.sqrt(variance + 1e-3) + at(beta, channel);
      return y / (1 + Math.exp(-y));
    });
  }
  const attributes = {
    groups: { int: groups },
    activation: { int: 1 },
    channels_last: { int: 1 },
    epsilon: { float: 1e-3 },
  };
  const affine = { gamma: [channels], beta: [channels] };

  test('GroupNorm', async () => {
    const feeds = noise({ x, ...affine }) as Record<'x' | 'gamma' | 'beta', Feed>;
    const graph = lowerContrib(graphOf('GroupNorm', { x, ...affine }, { attributes }));
    assertEqual(await run(graph, feeds), groupNorm(feeds.x.data, feeds.gamma.data, feeds.beta.data));
  });

  test.each([
    ['another map', x],
    ['one number per channel', [2, channels]],
  ])('SkipGroupNorm with %s, and its sum', async (_, skip) => {
    const inputs = { x, ...affine, skip, bias: [channels] };
    const feeds = noise(inputs) as Record<keyof typeof inputs, Feed>;
    const pixels = height * width * channels;
    const sum = Float32Array.from(feeds.x.data, (value, index) => {
      const other = skip.length === 4 ? index : Math.floor(index / pixels) * channels + (index % channels);
      return value + at(feeds.skip.data, other) + at(feeds.bias.data, index % channels);
    });
    const graph = (outputs: number) =>
      lowerContrib(graphOf('SkipGroupNorm', inputs, { attributes, outputs }));
    assertEqual(await run(graph(2), feeds), sum);
    assertEqual(await run(graph(1), feeds), groupNorm(sum, feeds.gamma.data, feeds.beta.data));
  });

  test('NhwcConv', async () => {
    const [filters, kernel] = [5, 3];
    const inputs = { x, w: [filters, kernel, kernel, channels], bias: [filters] };
    const feeds = noise(inputs) as Record<keyof typeof inputs, Feed>;
    const [rows, columns] = [2, 2];
    const expected = Float32Array.from({ length: 2 * rows * columns * filters }, (_, index) => {
      const filter = index % filters;
      const [column, row] = [
        Math.floor(index / filters) % columns,
        Math.floor(index / filters / columns) % rows,
      ];
      let sum = at(feeds.bias.data, filter);
      for (let tap = 0; tap < kernel * kernel; tap++) {
        const [y, z] = [2 * row + Math.floor(tap / kernel) - 1, 2 * column + (tap % kernel) - 1];
        if (y < 0 || z < 0 || y >= height || z >= width) continue;
        const picture = Math.floor(index / filters / columns / rows);
        for (let channel = 0; channel < channels; channel++)
          sum +=
            at(feeds.x.data, ((picture * height + y) * width + z) * channels + channel) *
            at(feeds.w.data, (filter * kernel * kernel + tap) * channels + channel);
      }
      return sum;
    });
    const graph = graphOf('NhwcConv', inputs, {
      attributes: {
        kernel_shape: { ints: [3, 3] },
        pads: { ints: [1, 1, 1, 1] },
        strides: { ints: [2, 2] },
      },
    });
    assertEqual(await run(lowerContrib(graph), feeds), expected);
  });

  test('BiasSplitGelu and BiasAdd', async () => {
    const inputs = { x: [1, 3, 2560], bias: [2560] };
    const feeds = noise(inputs) as Record<keyof typeof inputs, Feed>;
    const biased = feeds.x.data.map((value, index) => value + at(feeds.bias.data, index % 2560));
    const gelu = await run(graphOf('Gelu', { x: [1, 3, 2560] }), { x: { data: biased, dims: [1, 3, 2560] } });
    const split = Float32Array.from({ length: 3 * 1280 }, (_, index) => {
      const left = Math.floor(index / 1280) * 2560 + (index % 1280);
      return at(biased, left) * at(gelu, left + 1280);
    });
    assertEqual(await run(lowerContrib(graphOf('BiasSplitGelu', inputs)), feeds), split);

    const rows = { x: [1, 2, 320], bias: [320], skip: [1, 2, 320] };
    const three = noise(rows) as Record<keyof typeof rows, Feed>;
    const sum = Float32Array.from(three.x.data, (value, index) => {
      return value + at(three.bias.data, index % 320) + at(three.skip.data, index);
    });
    assertEqual(await run(lowerContrib(graphOf('BiasAdd', rows)), three), sum);
  });
});

describe('what the kernels refuse the lowerings refuse', () => {
  test.each<[string, Inputs, NodeOptions]>([
    ['BiasAdd', { x: [1, 4, 64], bias: [64], skip: [1, 4, 64] }, {}],
    ['BiasSplitGelu', { x: [1, 4, 128], bias: [128] }, {}],
    ['GroupNorm', { x: [1, 2, 2, 3], gamma: [3], beta: [3] }, { attributes: { groups: { int: 3 } } }],
  ])('%s', (operator, inputs, options) => {
    expect(() => lowerContrib(graphOf(operator, inputs, options))).toThrow(/no CUDA kernel/);
  });
});

test('a rounded graph rounds', async () => {
  const builder = new GraphBuilder('rounding');
  const x = builder.input('x', 'float32', [3]);
  const half = builder.node('a', 'Cast', [x], { attributes: { to: { int: 10 } } });
  const sum = builder.node('a', 'Add', [half, builder.halves([1])]);
  builder.output('y', 'float32', [3], builder.node('a', 'Cast', [sum], { attributes: { to: { int: 1 } } }));
  const feeds = { x: { data: Float32Array.of(2 ** -12, 2 ** -10, 65519), dims: [3] } };
  expect([...(await run(lowerContrib(builder.build(), { rounds: true }), feeds))]).toEqual([
    1,
    1 + 2 ** -10,
    65504,
  ]);
  expect((await run(lowerContrib(builder.build()), feeds))[0]).toBe(1 + 2 ** -12);
});
