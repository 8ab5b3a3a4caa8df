import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import { GraphBuilder } from '../../lib/onnx/graph-builder.js';
import { ProtobufWriter } from '../../lib/onnx/protobuf-writer.js';

const scratch = mkdtempSync(join(tmpdir(), 'onnx-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('protobuf', () => {
  const hex = (writer: ProtobufWriter) => Buffer.from(writer.finish()).toString('hex');

  // Bytes by hand, from https://protobuf.dev/programming-guides/encoding
  test.each([
    [0, '0800'],
    [1, '0801'],
    [127, '087f'],
    [128, '088001'],
    [150, '089601'],
    [2 ** 31, '088080808008'],
    [-1, '08ffffffffffffffffff01'],
  ])('int %d', (value, bytes) => {
    expect(hex(new ProtobufWriter().int(1, value))).toBe(bytes);
  });

  test('string, float, nested message, field numbers over 15', () => {
    expect(hex(new ProtobufWriter().string(2, 'testing'))).toBe('120774657374696e67');
    expect(hex(new ProtobufWriter().float(1, 1))).toBe('0d0000803f');
    expect(hex(new ProtobufWriter().message(3, new ProtobufWriter().int(1, 150)))).toBe('1a03089601');
    expect(hex(new ProtobufWriter().int(16, 1))).toBe('800101');
  });

  test('a message longer than its first buffer', () => {
    const long = 'x'.repeat(100_000);
    expect(new ProtobufWriter().string(1, long).finish()).toHaveLength(1 + 3 + 100_000);
  });
});

describe('a model that ONNX Runtime runs', () => {
  test('constants inside, weights in another file at an odd offset, every kind of attribute', async () => {
    const graph = new GraphBuilder('test');
    const x = graph.input('x', 'float32', ['batch', 2]);
    const weights = Float32Array.from([1, 2, 3, 4, 5, 6]);
    writeFileSync(
      join(scratch, 'weights.bin'),
      Buffer.concat([Buffer.alloc(3), Buffer.from(weights.buffer)]),
    );
    const weight = graph.external('w', 'float32', [3, 2], { location: 'weights.bin', offset: 3, length: 24 });
    // x times w transposed; int, float, ints and string attributes.
    const product = graph.node('layer', 'Gemm', [x, weight, graph.floats([0.5, 0.5, 0.5])], {
      attributes: { transB: { int: 1 }, alpha: { float: 2 } },
    });
    const swapped = graph.node('layer', 'Transpose', [product], { attributes: { perm: { ints: [1, 0] } } });
    const padded = graph.node('layer', 'Pad', [swapped, graph.int64s([0, 0, 0, 1])], {
      attributes: { mode: { string: 'edge' } },
    });
    graph.output('y', 'float32', [3, 'columns'], padded);
    const path = join(scratch, 'model.onnx');
    writeFileSync(path, encodeModel(graph.build(), { made_by: 'a test' }));

    const session = await ort.InferenceSession.create(path);
    const { y } = await session.run({ x: new ort.Tensor('float32', [1, 10], [1, 2]) });
    const sums = y as ort.Tensor;
    expect(sums.dims).toEqual([3, 2]);
    // 2 (x . row) + 0.5, and the last column once more.
    expect([...(sums.data as Float32Array)]).toEqual([42.5, 42.5, 86.5, 86.5, 130.5, 130.5]);
    await session.release();
  });
});

describe('GraphBuilder', () => {
  test('names are unique, and equal constants are one', () => {
    const graph = new GraphBuilder('test');
    const [a, b] = [graph.floats([1, 2]), graph.floats([1, 2])];
    expect(a).toBe(b);
    expect(graph.floats([1, 2], [2, 1])).not.toBe(a);
    expect(graph.int64s([1, 2])).not.toBe(a);
    const names = [
      graph.node('s', 'Neg', [a]),
      graph.node('s', 'Neg', [a]),
      ...graph.nodeOutputs('s', 'Split', [a], { outputs: 2 }),
    ];
    expect(new Set(names).size).toBe(4);
    expect(graph.build().initializers).toHaveLength(3);
  });

  test('so are long ones', () => {
    const graph = new GraphBuilder('test');
    const numbers = Array.from({ length: 36 }, (_, at) => at / 8);
    const table = graph.floats(numbers);
    expect(graph.floats(numbers)).toBe(table);
    const others = [graph.floats(numbers, [6, 6]), graph.floats(numbers.with(-1, 9)), graph.halves(numbers)];
    expect(new Set([table, ...others]).size).toBe(4);
    expect(graph.build().initializers).toHaveLength(4);
  });
});
