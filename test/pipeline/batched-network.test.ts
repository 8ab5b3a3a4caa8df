import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import { GraphBuilder } from '../../lib/onnx/graph-builder.js';
import { BatchedNetwork } from '../../lib/pipeline/batched-network.js';
import { type Feed, Network } from '../../lib/pipeline/network.js';
import { toFloats } from '../../lib/runtime/tensor.js';
import { startSessionHost } from '../support/graphs/session-host.js';

/** A timestep that the graph has no factor for: with it, a run fails. */
const BAD = 100;
const WIDTH = 3;

/**
 * What has a UNet's inputs and output: sample [B, 3] times a factor of timestep [B], plus the sum of states [B, 2, 2].
 *
 * @param timestep the shape of it: other exporters make it a scalar
 */
function tinyGraph(timestep: readonly string[] = ['batch']): Uint8Array {
  const graph = new GraphBuilder('tiny');
  const sample = graph.input('sample', 'float32', ['batch', WIDTH]);
  const steps = graph.input('timestep', 'float32', timestep);
  const states = graph.input('encoder_hidden_states', 'float32', ['batch', 2, 2]);
  const index = graph.node('index', 'Cast', [steps], { attributes: { to: { int: 7 } } });
  const factor = graph.node('factor', 'Gather', [graph.floats([0.5, 2, -1, 3]), index]);
  const column = graph.node('column', 'Reshape', [factor, graph.int64s([-1, 1])]);
  const sum = graph.node('sum', 'ReduceSum', [states, graph.int64s([1, 2])], {
    attributes: { keepdims: { int: 0 } },
  });
  const offset = graph.node('offset', 'Reshape', [sum, graph.int64s([-1, 1])]);
  const product = graph.node('product', 'Mul', [sample, column]);
  graph.output('out_sample', 'float32', ['batch', WIDTH], graph.node('add', 'Add', [product, offset]));
  return encodeModel(graph.build());
}

/** Keeps how many rows each of its runs had. */
class Counted extends Network {
  readonly rows: number[] = [];

  override run(...args: Parameters<Network['run']>): ReturnType<Network['run']> {
    this.rows.push(args[0]['sample']?.dims[0] as number);
    return super.run(...args);
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'batched-network-'));
const path = join(scratch, 'tiny.onnx');
const host = startSessionHost();
let alone: Counted;
let together: Counted;
beforeAll(() => writeFileSync(path, tinyGraph()));
beforeEach(async () => {
  const signature = await host.load('tiny', path, { provider: 'cpu' });
  alone = new Counted(host, 'tiny', signature);
  together = new Counted(host, 'tiny', signature);
});
afterAll(async () => {
  await host.close();
  rmSync(scratch, { recursive: true });
});

function batched(maxRows: number, isFull = false) {
  const troubles: unknown[] = [];
  const onTrouble = (_: string, error: unknown) => void troubles.push(error);
  return { network: new BatchedNetwork({ host, alone, together, maxRows, isFull, onTrouble }), troubles };
}

/** Rows of a caller, with numbers that no other has. */
function feedsOf(caller: number, rows: number, timestep = caller % 4): Record<string, Feed> {
  const numbers = (count: number, scale: number) =>
    Float32Array.from({ length: count }, (_, at) => caller + at * scale);
  return {
    sample: { values: numbers(rows * WIDTH, 0.25), dims: [rows, WIDTH] },
    timestep: { values: new Float32Array(rows).fill(timestep), dims: [rows] },
    encoder_hidden_states: { values: numbers(rows * 4, 0.5), dims: [rows, 2, 2] },
  };
}

/** What the graph makes of them, in this thread. */
function expected(feeds: Record<string, Feed>): number[] {
  const [sample, timestep, states] = ['sample', 'timestep', 'encoder_hidden_states'].map(
    (name) => feeds[name]?.values as Float32Array,
  ) as [Float32Array, Float32Array, Float32Array];
  return Array.from(sample, (value, at) => {
    const row = Math.floor(at / WIDTH);
    const offset = states.subarray(4 * row, 4 * row + 4).reduce((sum, state) => sum + state, 0);
    return value * ([0.5, 2, -1, 3][timestep[row] as number] as number) + offset;
  });
}

async function expectOwnRows(network: BatchedNetwork, feeds: Record<string, Feed>): Promise<void> {
  const { output, milliseconds } = await network.run(feeds, 'out_sample');
  expect(output.dims).toEqual(feeds['sample']?.dims);
  expect([...toFloats(output)]).toEqual(expected(feeds));
  expect(milliseconds).toBeGreaterThan(0);
}

test('calls of one turn go together in order, and each gets what is its own', async () => {
  const { network } = batched(4);
  const rows = [1, 2, 1, 1, 4, 1, 6, 1, 1];
  await Promise.all(rows.map((count, caller) => expectOwnRows(network, feedsOf(caller, count))));
  expect(together.rows).toEqual([4, 2]);
  expect(alone.rows).toEqual([1, 4, 1, 6]);
});

test('a lone call is run as it comes', async () => {
  const { network } = batched(4);
  for (const caller of [0, 1, 2]) await expectOwnRows(network, feedsOf(caller, 1));
  expect([alone.rows, together.rows]).toEqual([[1, 1, 1], []]);
});

test('calls wait while the thread has anything else to do, and no longer', async () => {
  const { network } = batched(4);
  const others = [1, 2].map((name) => host.load(`other ${name}`, path, { provider: 'cpu' }));
  const calls = [expectOwnRows(network, feedsOf(0, 1))];
  await others[0];
  calls.push(expectOwnRows(network, feedsOf(1, 1)));
  await others[1];
  // Follows from what has just been answered.
  calls.push(expectOwnRows(network, feedsOf(2, 1)));
  await Promise.all(calls);
  expect([alone.rows, together.rows]).toEqual([[], [3]]);
});

test('a session for so many rows is run with no fewer', async () => {
  const { network } = batched(3, true);
  await Promise.all([0, 1, 2, 3, 4].map((caller) => expectOwnRows(network, feedsOf(caller, 1))));
  expect([alone.rows, together.rows]).toEqual([[1, 1], [3]]);
});

test('random callers, rows and moments: each gets what is its own', async () => {
  const caller = fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    turns: fc.integer({ min: 0, max: 6 }),
    runs: fc.integer({ min: 1, max: 3 }),
    timestep: fc.integer({ min: 0, max: 3 }),
  });
  const property = fc.asyncProperty(
    fc.array(caller, { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 6 }),
    fc.boolean(),
    async (callers, maxRows, isFull) => {
      const { network, troubles } = batched(maxRows, isFull);
      const draw = async ({ rows, turns, runs, timestep }: (typeof callers)[number], index: number) => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        for (let run = 0; run < runs; run++)
          await expectOwnRows(network, feedsOf(10 * index + run, rows, timestep));
      };
      await Promise.all(callers.map(draw));
      expect(troubles).toEqual([]);
      expect(together.rows.every((rows) => (isFull ? rows === maxRows : rows <= maxRows))).toBe(true);
      together.rows.splice(0);
    },
  );
  await fc.assert(property, { numRuns: 40 });
});

describe('a run that fails', () => {
  test('is done again for each caller, and fails for the one that is to blame', async () => {
    const { network, troubles } = batched(4);
    const [first, bad, last] = [feedsOf(0, 1), feedsOf(1, 1, BAD), feedsOf(2, 1)];
    await Promise.all([
      expectOwnRows(network, first),
      expect(network.run(bad, 'out_sample')).rejects.toMatchObject({ code: 'INTERNAL' }),
      expectOwnRows(network, last),
    ]);
    expect([together.rows, alone.rows, troubles.length]).toEqual([[3], [1, 1, 1], 1]);
    await expectOwnRows(network, first);
  });

  test('because there is no thread any more, fails for all, now and later', async () => {
    const own = startSessionHost();
    const signature = await own.load('tiny', path, { provider: 'cpu' });
    const one = new Network(own, 'tiny', signature);
    const network = new BatchedNetwork({ host: own, alone: one, together: one, maxRows: 2, isFull: false });
    await own.close();
    for (const _ of ['now', 'later']) {
      const runs = [0, 1, 2].map((caller) => network.run(feedsOf(caller, 1), 'out_sample'));
      for (const run of await Promise.allSettled(runs)) expect(run.status).toBe('rejected');
    }
  });
});

test('a graph whose timestep is a scalar takes several pictures, and no different ones', async () => {
  const scalar = join(scratch, 'scalar.onnx');
  writeFileSync(scalar, tinyGraph([]));
  const network = new Network(host, 'scalar', await host.load('scalar', scalar, { provider: 'cpu' }));
  expect([network.takesSeveral, network.takesDifferent]).toEqual([true, false]);
  expect([alone.takesSeveral, alone.takesDifferent]).toEqual([true, true]);
});
