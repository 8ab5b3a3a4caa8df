import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../lib/errors/app-error.js';
import {
  readSafetensorsHeader,
  type StoredTensor,
} from '../../../lib/weights/checkpoint/safetensors-header.js';
import { openDirectory } from '../../support/weights/open-directory.js';
import { encodeSafetensors, type HeaderEntry } from './write-safetensors.js';

const FILE = 'weights.safetensors';
const DTYPE_BYTES = new Map([
  ...Object.entries({ BOOL: 1, U8: 1, F8_E4M3: 1, BF16: 2, F16: 2, F32: 4, I64: 8 }),
]);

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-properties-'));
  path = join(folder, FILE);
});
afterAll(() => rm(folder, { recursive: true }));

/** @returns the tensors by name, or undefined where the file is refused as it should be */
async function read(bytes: Uint8Array): Promise<Map<string, StoredTensor> | undefined> {
  await writeFile(path, bytes);
  try {
    const tensors = await readSafetensorsHeader(openDirectory(folder), FILE);
    return new Map(tensors.map((tensor) => [tensor.name, tensor]));
  } catch (error) {
    if (error instanceof AppError && error.code === 'INVALID_FILE') return undefined;
    throw error;
  }
}

interface ValidFile {
  readonly bytes: Buffer;
  readonly headerBytes: number;
  readonly tensors: Map<string, StoredTensor>;
}

const tensorName = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('__proto__', 'constructor', '0', 'a:b', '"', '\\', '\\"', '{', 'x\n'),
  )
  .filter((name) => name !== '__metadata__');

const validFile: fc.Arbitrary<ValidFile> = fc
  .record({
    tensors: fc.uniqueArray(
      fc.record({
        name: tensorName,
        dtype: fc.constantFrom(...DTYPE_BYTES.keys()),
        shape: fc.array(fc.nat(5), { maxLength: 4 }),
      }),
      { maxLength: 8, selector: ({ name }) => name },
    ),
    order: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
    metadata: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 })),
    padding: fc.nat(7),
  })
  .map(({ tensors, order, metadata, padding }) => {
    let end = 0;
    const entries = tensors.map(({ name, dtype, shape }): [string, HeaderEntry] => {
      const begin = end;
      end += shape.reduce((product, extent) => product * extent, DTYPE_BYTES.get(dtype) as number);
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    });
    // The order in the header need not be that in the file.
    const shuffled = entries
      .map((entry, i) => ({ entry, key: order[i] as number }))
      .sort((a, b) => a.key - b.key)
      .map(({ entry }) => entry);
    const members: [string, unknown][] = metadata === null ? [] : [['__metadata__', metadata]];
    const text = JSON.stringify(Object.fromEntries([...members, ...shuffled])) + ' '.repeat(padding);
    const bytes = encodeSafetensors(text, end);
    return { bytes, headerBytes: bytes.length - end, tensors: plainReading(entries, bytes.length - end) };
  });

function plainReading(
  entries: Iterable<[string, HeaderEntry]>,
  dataStart: number,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const [begin, end] = data_offsets;
    tensors.set(name, {
      name,
      file: FILE,
      dtype: dtype as StoredTensor['dtype'],
      shape,
      offset: dataStart + begin,
      length: end - begin,
    });
  }
  return tensors;
}

/** What the header of an accepted file says, word for word. */
function readPlainly(bytes: Buffer): Map<string, StoredTensor> {
  const dataStart = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: _, ...entries } = JSON.parse(bytes.toString('utf8', 8, dataStart));
  return plainReading(Object.entries(entries as Record<string, HeaderEntry>), dataStart);
}

/** What is accepted must say what its own header says, and cover its own bytes. */
async function expectTruthOrRefusal(bytes: Buffer): Promise<boolean> {
  const found = await read(bytes);
  if (found === undefined) return false;
  expect(found).toEqual(readPlainly(bytes));
  const lengths = [...found.values()].reduce((sum, { length }) => sum + length, 0);
  expect(lengths).toBe(bytes.length - 8 - Number(bytes.readBigUInt64LE()));
  return true;
}

describe('any safetensors file', () => {
  it('is read back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(validFile, async ({ bytes, tensors }) => {
        expect(await read(bytes)).toEqual(tensors);
      }),
      { numRuns: 300 },
    );
  });

  it('with changed bytes is refused or says what its header says', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(validFile, changes, async ({ bytes }, flips) => {
        const changed = Buffer.from(bytes);
        for (const [at, flip] of flips)
          changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ flip;
        await expectTruthOrRefusal(changed);
      }),
      { numRuns: 400 },
    );
  });

  it('with another digit or bracket somewhere is refused or says what its header says', async () => {
    let accepted = 0;
    const character = fc.constantFrom(...'0123456789.-+eE[]{},:"\\ un');
    await fc.assert(
      fc.asyncProperty(validFile, fc.nat(), character, async ({ bytes, headerBytes }, at, replacement) => {
        const changed = Buffer.from(bytes);
        changed.write(replacement, 8 + (at % (headerBytes - 8)));
        if (await expectTruthOrRefusal(changed)) accepted += 1;
      }),
      { numRuns: 400 },
    );
    // A changed name or padding is no fault; were nothing accepted, nothing would have been compared.
    expect(accepted).toBeGreaterThan(0);
  });

  it('with changed data is read as before', async () => {
    await fc.assert(
      fc.asyncProperty(validFile, fc.nat(), async ({ bytes, headerBytes, tensors }, at) => {
        fc.pre(bytes.length > headerBytes);
        const changed = Buffer.from(bytes);
        changed[headerBytes + (at % (bytes.length - headerBytes))] = 0xff;
        expect(await read(changed)).toEqual(tensors);
      }),
      { numRuns: 100 },
    );
  });

  it('that is cut short or has more bytes at its end is refused', async () => {
    await fc.assert(
      fc.asyncProperty(validFile, fc.nat(), fc.integer({ min: 1, max: 9 }), async ({ bytes }, at, more) => {
        expect(await read(bytes.subarray(0, at % bytes.length))).toBeUndefined();
        expect(await read(Buffer.concat([bytes, Buffer.alloc(more)]))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('with any JSON as its header is refused or says what its header says', async () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('F32', 'F16', [0, 4], [1], [2, 2]));
    const entry = fc.record({ dtype: field, shape: field, data_offsets: field }, { requiredKeys: [] });
    const anyHeader = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string(), entry).map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(anyHeader, fc.nat(16), async (text, dataBytes) => {
        await expectTruthOrRefusal(encodeSafetensors(text, dataBytes));
      }),
      { numRuns: 400 },
    );
  });

  it('with one of its members twice is refused', async () => {
    await fc.assert(
      fc.asyncProperty(validFile, async ({ bytes, headerBytes, tensors }) => {
        const [name] = tensors.keys();
        fc.pre(name !== undefined);
        const text = bytes.toString('utf8', 8, headerBytes);
        const entry = JSON.stringify(JSON.parse(text)[name]);
        const twice = `${text.trimEnd().slice(0, -1)},${JSON.stringify(name)}:${entry}}`;
        expect(await read(encodeSafetensors(twice, bytes.length - headerBytes))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
