import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../lib/errors/app-error.js';
import { readSafetensorsHeader } from '../../../lib/weights/checkpoint/safetensors-header.js';
import { openDirectory } from '../../support/weights/open-directory.js';
import reference from './headers.json' with { type: 'json' };
import { encodeSafetensors } from './write-safetensors.js';

/** Where we refuse what the reference reads: a name twice, an entry that is a list, too many dimensions. */
const STRICTER = /^\{"__metadata__":\{"a":"1","a"|^\{"a":.*,"a":|"a":\["U8"|(?:1, ){32}/;

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-header-'));
  path = join(folder, 'weights.safetensors');
});
afterAll(() => rm(folder, { recursive: true }));

const read = (file: string) => readSafetensorsHeader(openDirectory(dirname(file)), basename(file));

/** @returns the message of the AppError with which the file is refused */
async function refusal(file: string): Promise<string> {
  const error: unknown = await read(file).then(
    () => 'accepted',
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  const { code, message } = error as AppError;
  expect(code).toBe('INVALID_FILE');
  expect(message).toContain(file);
  expect(message).not.toContain('\n');
  return message;
}

async function refusalOf(bytes: Uint8Array): Promise<string> {
  await writeFile(path, bytes);
  return refusal(path);
}

const header = (entries: unknown): string => JSON.stringify(entries);
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('readSafetensorsHeader', () => {
  it('gives tensors in file order, with offsets from the start of the file', async () => {
    const text = header({
      __metadata__: { format: 'pt' },
      second: entry('F16', [3], 8, 14),
      first: entry('F32', [2, 1], 0, 8),
      scalar: entry('I64', [], 14, 22),
    });
    await writeFile(path, encodeSafetensors(`${text}     `, 22));
    const start = 8 + text.length + 5;
    const file = 'weights.safetensors';
    expect(await read(path)).toStrictEqual([
      { name: 'first', file, dtype: 'F32', shape: [2, 1], offset: start, length: 8 },
      { name: 'second', file, dtype: 'F16', shape: [3], offset: start + 8, length: 6 },
      { name: 'scalar', file, dtype: 'I64', shape: [], offset: start + 14, length: 8 },
    ]);
  });

  it('accepts a file without tensors, and tensors without elements', async () => {
    await writeFile(path, encodeSafetensors('{}', 0));
    expect(await read(path)).toEqual([]);
    const entries = { a: entry('F32', [0, 5], 0, 0), b: entry('U8', [1], 0, 1), c: entry('F32', [0], 0, 0) };
    await writeFile(path, encodeSafetensors(header(entries), 1));
    expect((await read(path)).map(({ name }) => name)).toEqual(['a', 'c', 'b']);
  });

  // What safetensors 0.8.0 in Python says of the same files: test/weights/checkpoint/make_headers.py.
  it.each(reference)(
    '$name: as the reference, or stricter with a reason',
    async ({ text, data, tensors }) => {
      await writeFile(path, encodeSafetensors(text, data));
      if (tensors === null || STRICTER.test(text)) return expect(await refusal(path)).not.toBe('');
      const found = (await read(path)).map(({ name, dtype, shape }) => [name, dtype, shape]);
      return expect(Object.fromEntries(found.map(([name, ...rest]) => [name, rest]))).toEqual(tensors);
    },
  );

  it('takes names that mean something to JavaScript as plain names', async () => {
    const text =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
    await writeFile(path, encodeSafetensors(text, 2));
    const tensors = await read(path);
    expect(tensors.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false);
  });

  // Each differs from a valid file by one fault.
  it.each<[string, string, number, RegExp]>([
    ['no object', '[]', 0, /does not begin with \{/],
    ['byte order mark', '\ufeff{}', 0, /does not begin with \{/],
    ['text after the object', '{}x', 0, /is not JSON/],
    ['metadata is no object', header({ __metadata__: [] }), 0, /__metadata__ must be an object of strings/],
    [
      'metadata of numbers',
      header({ __metadata__: { a: 1 } }),
      0,
      /__metadata__ must be an object of strings/,
    ],
    ['entry is no object', header({ a: [] }), 0, /tensor "a": must be an object/],
    [
      'unknown dtype',
      header({ a: entry('F31', [1], 0, 1) }),
      1,
      /tensor "a": dtype is "F31", not one of F4, .*U64/,
    ],
    ['inherited name as dtype', header({ a: entry('toString', [1], 0, 1) }), 1, /"a": dtype/],
    ['half a byte', header({ a: entry('F4', [3], 0, 2) }), 2, /"a": F4 \[3\] does not fill whole bytes/],
    ['half a character as name', '{"\\ud800":{}}', 0, /tensor "\\ud800": the name is not Unicode/],
    ['metadata of null', header({ __metadata__: { a: null } }), 0, /must be an object of strings, or null/],
    ['no shape', header({ a: { dtype: 'U8', data_offsets: [0, 1] } }), 1, /"a": shape must be/],
    ['negative extent', header({ a: entry('U8', [-1, -1], 0, 1) }), 1, /"a": shape must be/],
    ['negative zero', '{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}', 0, /"a": shape must be/],
    ['fraction', header({ a: entry('U8', [0.5, 2], 0, 1) }), 1, /"a": shape must be/],
    ['text as extent', header({ a: entry('U8', ['1'], 0, 1) }), 1, /"a": shape must be/],
    ['extent above 2^53', header({ a: entry('U8', [2 ** 53], 0, 1) }), 1, /"a": shape must be/],
    [
      'product above 2^53',
      header({ a: entry('U8', [2 ** 30, 2 ** 30], 0, 1) }),
      1,
      /"a": shape is too large/,
    ],
    ['product that wraps to 0', header({ a: entry('U8', [2 ** 32, 2 ** 32, 0], 0, 0) }), 0, /too large/],
    ['rank 33', header({ a: entry('U8', Array(33).fill(1), 0, 1) }), 1, /"a": has more than 32 dimensions/],
    [
      'three offsets',
      header({ a: { ...entry('U8', [1], 0, 1), data_offsets: [0, 1, 1] } }),
      1,
      /"a": data_off/,
    ],
    ['negative offset', header({ a: entry('U8', [1], -1, 0) }), 1, /"a": data_offsets must be/],
    ['end before begin', header({ a: entry('U8', [1], 1, 0) }), 1, /"a": data_offsets end at 0, before/],
    [
      'span too short',
      header({ a: entry('F32', [2], 0, 4) }),
      4,
      /"a": data_offsets span 4 .*F32 \[2\] takes 8/,
    ],
    ['overlap', header({ a: entry('U8', [2], 0, 2), b: entry('U8', [2], 1, 3) }), 3, /"b": overlaps/],
    [
      'same place twice',
      header({ a: entry('U8', [1], 0, 1), b: entry('U8', [1], 0, 1) }),
      1,
      /"b": overlaps/,
    ],
    ['hole', header({ a: entry('U8', [1], 0, 1), b: entry('U8', [1], 2, 3) }), 3, /"b": leaves a hole/],
    ['hole at the start', header({ a: entry('U8', [1], 1, 2) }), 2, /"a": leaves a hole/],
    ['bytes after the last tensor', header({ a: entry('U8', [1], 0, 1) }), 2, /but its tensors end/],
    ['fewer bytes than tensors', header({ a: entry('U8', [2], 0, 2) }), 1, /but its tensors end/],
    [
      'name twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      1,
      /gives the same name twice/,
    ],
    [
      'name twice, once escaped',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
      /gives the same name twice/,
    ],
    [
      'dtype twice',
      '{"a":{"dtype":"F16","dtype":"BF16","shape":[1],"data_offsets":[0,2]}}',
      2,
      /gives the same name twice/,
    ],
    ['metadata twice', '{"__metadata__":{"format":"pt"},"__metadata__":{}}', 0, /gives the same name twice/],
    [
      'endless name',
      header({ ['n\n'.repeat(100_000)]: 1 }),
      0,
      /tensor "n\\nn.{0,400}\.\.\.": must be an object/,
    ],
    ['deep nesting', `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`, 0, /"a": must be an object/],
    ['a value bomb', `{"a":[${'[],'.repeat(2_000_000)}[]]}`, 0, /has more than 4000000 values/],
  ])('refuses: %s', async (_, text, dataBytes, message) => {
    expect(await refusalOf(encodeSafetensors(text, dataBytes))).toMatch(message);
  });

  it('refuses a header that is not UTF-8', async () => {
    const bytes = encodeSafetensors(header({ a: entry('U8', [1], 0, 1) }), 1);
    bytes[bytes.indexOf('"a"') + 1] = 0xff;
    expect(await refusalOf(bytes)).toMatch(/header cannot be read as UTF-8/);
  });

  it('refuses a file that is shorter than it says, before it takes memory for it', async () => {
    expect(await refusalOf(Buffer.alloc(0))).toMatch(/is empty$/);
    expect(await refusalOf(Buffer.alloc(7, 1))).toMatch(/too short for a header/);
    const whole = encodeSafetensors('{}', 0);
    for (const length of [3n, 100_000_000n]) {
      whole.writeBigUInt64LE(length);
      expect(await refusalOf(whole)).toMatch(/ends inside its header/);
    }
    for (const length of [100_000_001n, 2n ** 53n + 2n, 2n ** 64n - 1n]) {
      whole.writeBigUInt64LE(length);
      expect(await refusalOf(whole)).toMatch(/header is longer than 100000000 bytes/);
    }
  });

  it('takes offsets beyond 4 GiB', async () => {
    const sparse = join(folder, 'sparse.safetensors');
    const size = 5 * 2 ** 30;
    const text = header({ a: entry('U8', [size], 0, size), b: entry('U8', [1], size, size + 1) });
    await writeFile(sparse, encodeSafetensors(text, 0));
    await truncate(sparse, 8 + text.length + size + 1);
    const [, b] = await read(sparse);
    expect(b).toMatchObject({ name: 'b', offset: 8 + text.length + size, length: 1 });
  });

  it('refuses what is not a file', async () => {
    expect(await refusal(join(folder, 'absent.safetensors'))).toMatch(/cannot read .*ENOENT/);
    expect(await refusal(folder)).toMatch(/is not a file|EISDIR/);
  });
});

const UNET = '../shared/reference/checkpoints/tiny-turbo/unet/diffusion_pytorch_model.fp16.safetensors';
if (!existsSync(UNET)) console.warn(`skipped: ${UNET} is absent`);

describe.skipIf(!existsSync(UNET))('the header of a UNet that diffusers wrote', () => {
  it('is read as the safetensors library reads it', async () => {
    const tensors = await read(UNET);
    expect(tensors).toHaveLength(686);
    const lines = tensors.map((t) => `${t.name} ${t.dtype} ${t.shape} ${t.offset} ${t.length}`);
    expect(lines[0]).toBe('conv_in.bias F16 32 78776 64');
    // safetensors 0.8.0 in Python: names by offset_keys(), dtype and shape by get_slice(), sizes by get_tensor().
    const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
    expect(digest).toBe('3fab440f14d9da5bb8da59866bdbae74c47564686024958c870e8bd5483dfc43');
  });

  it('points at the bytes of the tensor', async () => {
    const tensors = await read(UNET);
    const tensor = tensors.find(({ name }) => name === 'mid_block.attentions.0.proj_in.weight');
    if (tensor === undefined) throw new Error('the tensor is not in the file');
    const bytes = (await readFile(UNET)).subarray(tensor.offset, tensor.offset + tensor.length);
    // safetensors 0.8.0 in Python: sha256(get_tensor(name).tobytes()).
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      'e84129f3bf27581567b7d9ceef850f9a338b3f6cc9c926846c5ea8032c11134f',
    );
  });
});
