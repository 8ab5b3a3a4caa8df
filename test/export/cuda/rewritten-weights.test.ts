import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../../lib/export/import-checkpoint.js';
import { RewrittenWeights } from '../../../lib/export/rewrite/rewritten-weights.js';
import { WeightPlan } from '../../../lib/export/rewrite/weight-plan.js';
import type { WeightRecipe } from '../../../lib/export/rewrite/weight-recipe.js';
import { encodeHalves, floatToHalf, halfToFloat } from '../../../lib/runtime/half.js';
import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import { MemoryCheckpoint } from '../../../lib/weights/checkpoint/memory-checkpoint.js';
import type { StoredDtype, StoredTensor } from '../../../lib/weights/checkpoint/safetensors-header.js';
import { ROOT } from '../../support/reference.js';
import { openDirectory } from '../../support/weights/open-directory.js';

const scratch = mkdtempSync(join(tmpdir(), 'rewritten-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const ENCODERS = {
  F16: (values: readonly number[]) => encodeHalves(Float32Array.from(values)),
  BF16: (values: readonly number[]) =>
    Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16),
  F32: (values: readonly number[]) => Float32Array.from(values),
  F64: (values: readonly number[]) => Float64Array.from(values),
} satisfies Partial<Record<StoredDtype, (values: readonly number[]) => ArrayBufferView>>;

/** Stored tensors in a file in memory. */
class Store {
  readonly #pieces: Buffer[] = [Buffer.alloc(8)];

  add(
    name: string,
    dtype: keyof typeof ENCODERS,
    shape: readonly number[],
    values: readonly number[],
  ): StoredTensor {
    const { buffer } = ENCODERS[dtype](values);
    const offset = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    this.#pieces.push(Buffer.from(buffer));
    return { name, file: 'x.safetensors', dtype, shape, offset, length: buffer.byteLength };
  }

  reader(): CheckpointReader {
    return new CheckpointReader(
      new MemoryCheckpoint(new Map([['unet/x.safetensors', Buffer.concat(this.#pieces)]])),
    );
  }
}

const count = (length: number, first = 0) => Array.from({ length }, (_, index) => first + index);

function rewrite(store: Store, ...recipes: readonly WeightRecipe[]) {
  const plan = new WeightPlan('weights.bin');
  const places = recipes.map((recipe) => plan.add(recipe));
  const source = new RewrittenWeights({ plan, reader: store.reader(), folder: 'unet' });
  return { plan, places, source, reader: new CheckpointReader(source, { retries: 0 }) };
}

async function numbersOf(store: Store, recipe: WeightRecipe): Promise<number[]> {
  const { plan, reader } = rewrite(store, recipe);
  const bytes = new Uint8Array(await reader.readSmall(plan.file, plan.size));
  return recipe.type === 'float16'
    ? Array.from(new Uint16Array(bytes.buffer), halfToFloat)
    : [...new Float32Array(bytes.buffer)];
}

const base = { name: 'w', type: 'float16' } as const;

describe('a recipe', () => {
  test.each(['F16', 'BF16', 'F32', 'F64'] as const)('brings %s to float16 and to float32', async (dtype) => {
    const store = new Store();
    const values = [0, -1.5, 2 ** -24, 0.3330078125, -65504, 1 + 2 ** -10];
    const kept = { F16: values, BF16: [0, -1.5, 2 ** -24, 0.33203125, -65280, 1], F32: values, F64: values }[
      dtype
    ];
    const shape = [6];
    const recipe = { shape, sources: [store.add('a', dtype, shape, values)] };
    expect(await numbersOf(store, { ...base, ...recipe })).toEqual(kept);
    expect(await numbersOf(store, { ...base, ...recipe, type: 'float32' })).toEqual(kept);
  });

  test('puts channels last', async () => {
    const store = new Store();
    const sources = [store.add('a', 'F16', [2, 3, 1, 2], count(12))];
    const recipe = { ...base, shape: [2, 1, 2, 3], sources, channelsLast: true };
    expect(await numbersOf(store, recipe)).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });

  test('mixes queries, keys and values head by head', async () => {
    const store = new Store();
    const sources = ['q', 'k', 'v'].map((name, index) =>
      store.add(name, 'F16', [4, 1], count(4, 10 * index)),
    );
    const recipe = { ...base, shape: [12, 1], sources, blockRows: 2 };
    expect(await numbersOf(store, recipe)).toEqual([0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23]);
  });

  test('adds biases before it rounds, and multiplies all of it', async () => {
    const store = new Store();
    const a = store.add('a', 'F32', [2], [1, -3]);
    const b = store.add('b', 'F16', [2], [2 ** -11, 0.5]);
    const recipe = { ...base, shape: [2], sources: [a], addends: [b, b], factor: 0.5 };
    expect(await numbersOf(store, recipe)).toEqual([0.5 + 2 ** -11, -1]);
  });

  test('adds up the taps of a kernel that see the same number of a small map', async () => {
    const store = new Store();
    const kernels = [store.add('a', 'F16', [2, 1, 3, 3], [...count(9), ...count(9, 100)])];
    const recipe = { ...base, shape: [2, 1, 2, 2], sources: kernels };
    expect(await numbersOf(store, { ...recipe, phases: [[0, 0]] })).toEqual([
      0, 3, 9, 24, 100, 203, 209, 424,
    ]);
    expect(await numbersOf(store, { ...recipe, phases: [[0, 1]] })).toEqual([
      1, 2, 20, 13, 201, 102, 420, 213,
    ]);
    expect(await numbersOf(store, { ...recipe, phases: [[1, 0]] })).toEqual([
      3, 12, 6, 15, 203, 412, 106, 215,
    ]);
    expect(await numbersOf(store, { ...recipe, phases: [[1, 1]] })).toEqual([
      8, 7, 13, 8, 408, 207, 213, 108,
    ]);
  });

  test('puts the sums of two phases below each other, channels last', async () => {
    const store = new Store();
    const kernel = store.add('a', 'F32', [1, 2, 3, 3], [...count(9), ...count(9, 10)]);
    const recipe = { ...base, shape: [2, 2, 2, 2], sources: [kernel, kernel], channelsLast: true };
    expect(
      await numbersOf(store, {
        ...recipe,
        phases: [
          [1, 1],
          [0, 0],
        ],
      }),
    ).toEqual([8, 48, 7, 27, 13, 33, 8, 18, 0, 10, 3, 23, 9, 29, 24, 64]);
  });

  test.each(['F32', 'F64'] as const)('rounds sums of %s once', async (dtype) => {
    const store = new Store();
    // In float32 the second number is lost, and the sum becomes the middle between two float16, and even.
    const kernel = [1 + 2 ** -11, 2 ** -40, 0, 0, 0, 0, 0, 0, 0];
    const recipe = { ...base, shape: [1, 1, 2, 2], phases: [[1, 1] as const] };
    const sources = [store.add('a', dtype, [1, 1, 3, 3], kernel)];
    expect(await numbersOf(store, { ...recipe, sources })).toEqual([1 + 2 ** -10, 0, 0, 0]);
    const negative = [
      store.add(
        'b',
        dtype,
        [1, 1, 3, 3],
        kernel.map((number) => -number),
      ),
    ];
    expect(await numbersOf(store, { ...recipe, sources: negative })).toEqual([-1 - 2 ** -10, 0, 0, 0]);
    // In float32 one after the other the small ones would be lost.
    const many = [1, 2 ** -24, 0, 2 ** -24, 2 ** -24, 0, 0, 0, 0];
    const type = 'float32' as const;
    const small = { ...recipe, type, sources: [store.add('c', dtype, [1, 1, 3, 3], many)] };
    expect((await numbersOf(store, small))[0]).toBe(Math.fround(1 + 3 * 2 ** -24));
  });

  test('names the numbers whose sum float16 has no room for', async () => {
    const store = new Store();
    const kernel = [60000, 60000, 0, 0, 0, 0, 0, 0, 0];
    const sources = [store.add('a', 'F16', [1, 1, 3, 3], kernel)];
    const reading = numbersOf(store, { ...base, shape: [1, 1, 2, 2], sources, phases: [[1, 1]] });
    await expect(reading).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/"a" holds 60000,.*together, and float16 ends at 65504: .*float32$/),
    });
  });
});

describe('the file', () => {
  // More than one piece of 4 MiB, rows that cross pieces, and a tensor that ends where no page does.
  const store = new Store();
  const wide = store.add(
    'wide',
    'F16',
    [300, 9000],
    count(300 * 9000).map((index) => (index % 2048) - 1024),
  );
  const heads = ['q', 'k'].map((name, index) => store.add(name, 'F32', [64, 33], count(64 * 33, index)));
  const bias = store.add('bias', 'F16', [3], [1, 2, 3]);
  const { plan, places, reader, source } = rewrite(
    store,
    { ...base, name: 'wide', shape: wide.shape, sources: [wide] },
    { ...base, name: 'bias', shape: [3], sources: [bias] },
    { ...base, name: 'heads', type: 'float32', shape: [128, 33], sources: heads, blockRows: 16 },
  );
  const whole = reader.readSmall(plan.file, plan.size);

  test('can be mapped into memory: every tensor begins on a page', async () => {
    expect(places.map(({ offset }) => offset % 4096)).toEqual([0, 0, 0]);
    expect((await whole).length).toBe(plan.size);
    expect(await source.size(plan.file)).toBe(plan.size);
    expect([...(await whole).subarray(places[1]?.offset, (places[1]?.offset as number) + 8)]).toEqual([
      ...new Uint8Array(encodeHalves(Float32Array.of(1, 2, 3)).buffer),
      0,
      0,
    ]);
  });

  test('is the same in any pieces', async () => {
    const expected = Buffer.from(await whole);
    const cut = fc.integer({ min: 0, max: plan.size });
    await fc.assert(
      fc.asyncProperty(cut, cut, async (a, b) => {
        const range = { start: Math.min(a, b), end: Math.max(a, b) };
        const piece = Buffer.from(await reader.readRange(plan.file, range));
        return piece.equals(expected.subarray(range.start, range.end));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a number that float16 has no room for', () => {
  const refused = (dtype: keyof typeof ENCODERS, value: number, options: Partial<WeightRecipe> = {}) => {
    const store = new Store();
    const tensor = store.add('mid\nblock.weight', dtype, [3], [1, value, 2]);
    return numbersOf(store, { ...base, shape: [3], sources: [tensor], ...options });
  };

  test.each([
    ['F32', 65520],
    ['BF16', -(2 ** 17)],
    ['F64', 1e300],
  ] as const)('%s %d: the tensor is named', async (dtype, value) => {
    await expect(refused(dtype, value)).rejects.toMatchObject({
      code: value > 1e38 ? 'INVALID_FILE' : 'UNSUPPORTED',
      message: expect.stringMatching(/^memory\/unet\/x\.safetensors: tensor "mid\\nblock\.weight" holds /),
    });
  });

  test.each([
    ['F16', Number.POSITIVE_INFINITY],
    ['F16', Number.NaN],
    ['F32', Number.NaN],
  ] as const)('%s %d is no number to compute with', async (dtype, value) => {
    await expect(refused(dtype, value)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(refused(dtype, value, { type: 'float32' })).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  test.each([
    [Number.NaN, 'INVALID_FILE', /tensor "b" holds NaN/],
    [-(2 ** 17), 'UNSUPPORTED', /tensor "b" holds -131072, and float16 ends at 65504/],
    [40_000, 'UNSUPPORTED', /tensor "a" holds 40000, .*tensor "b" holds 40000: together, and float16 ends/],
  ])('in a sum it is the tensor that has it: %d', async (value, code, message) => {
    const store = new Store();
    const a = store.add('a', 'F32', [2], [0, 40_000]);
    const b = store.add('b', 'F32', [2], [0, value]);
    const sum = numbersOf(store, { ...base, shape: [2], sources: [a], addends: [b] });
    await expect(sum).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('is let pass where it is made smaller, and where it stays float32', async () => {
    expect(await refused('F32', 2 ** 17, { factor: 1 / 16 })).toEqual([1 / 16, 2 ** 13, 1 / 8]);
    expect(await refused('F32', 2 ** 17, { type: 'float32' })).toEqual([1, 2 ** 17, 2]);
  });

  test('stops the import, and nothing is left', async () => {
    const [from, parent] = [join(scratch, 'model'), mkdtempSync(join(scratch, 'target-'))];
    cpSync(join(ROOT, 'lib/demo-model/model'), from, { recursive: true });
    const path = join(from, 'unet/diffusion_pytorch_model.safetensors');
    const file = readFileSync(path);
    const header = file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE()));
    const tensor = JSON.parse(header)['mid_block.resnets.0.conv1.weight'];
    file.writeUInt16LE(0x7c00, 8 + header.length + tensor.data_offsets[0] + 2 * 1234);
    writeFileSync(path, file);
    await expect(
      importCheckpoint({ from, to: join(parent, 'bundle'), dialect: 'cuda' }),
    ).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('tensor "mid_block.resnets.0.conv1.weight" holds Infinity'),
    });
    expect(readdirSync(parent)).toEqual([]);
  });
});

test('many numbers are rounded as one is', () => {
  const anyBits = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(anyBits, (bits) => {
      const floats = new Float32Array(Uint32Array.from(bits).buffer);
      return [...encodeHalves(floats)].every((half, index) => half === floatToHalf(floats[index] as number));
    }),
    { numRuns: 500 },
  );
  const edges = [0, -0, 65519.996, 65520, 2 ** -14, 2 ** -14 * (1 - 2 ** -12), 2 ** -25, -(2 ** -24)];
  expect([...encodeHalves(Float32Array.from(edges))]).toEqual(edges.map(floatToHalf));
});

test('a file that is not there is named', async () => {
  const plan = new WeightPlan('weights.bin');
  const tensor = {
    name: 'a',
    file: 'gone.safetensors',
    dtype: 'F16',
    shape: [1],
    offset: 8,
    length: 2,
  } as const;
  plan.add({ ...base, shape: [1], sources: [tensor] });
  const source = new RewrittenWeights({ plan, reader: openDirectory(scratch), folder: 'unet' });
  await expect(new CheckpointReader(source, { retries: 0 }).readSmall(plan.file, 2)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(join(scratch, 'unet/gone.safetensors')),
  });
});
