import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { checkNumbers } from '../../lib/weights/checkpoint/check-numbers.js';
import { CheckpointReader } from '../../lib/weights/checkpoint/checkpoint-reader.js';
import { MemoryCheckpoint } from '../../lib/weights/checkpoint/memory-checkpoint.js';
import { ROOT } from '../support/reference.js';
import { BITS, plantNumber } from '../support/weights/plant-number.js';

const scratch = mkdtempSync(join(tmpdir(), 'check-numbers-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const WIDTHS = { F16: 2, BF16: 2, F32: 4, F64: 8 } as const;
/** The largest finite number and the smallest exponents beside it. */
const FINITE = { F16: 0x7bff, BF16: 0x7f7f, F32: 0x7f7fffff, F64: 0 } as const;

/** Whether a number at some place is found when the file is read in chunks of some length. */
async function isFound(
  dtype: keyof typeof WIDTHS,
  { before, count, index, chunk }: { before: number; count: number; index: number; chunk: number },
  bits: number,
): Promise<boolean> {
  const width = WIDTHS[dtype];
  const file = Buffer.alloc(before + count * width + 3, 0x3f);
  const at = before + index * width;
  if (dtype === 'F64') file.writeDoubleLE(bits, at);
  else file.writeUIntLE(bits, at, width);
  const reader = new CheckpointReader(new MemoryCheckpoint(new Map([['x', file]])));
  const tensor = { name: 'w', file: 'x', dtype, shape: [count], offset: before, length: count * width };
  const check = checkNumbers([tensor], reader, 'x');
  for (let start = 0; start < file.length; start += chunk) {
    const range = { start, end: Math.min(file.length, start + chunk) };
    try {
      await check(file.subarray(range.start, range.end), range);
    } catch (error) {
      expect((error as Error).message).toMatch(/x: tensor "w" holds (NaN|-?Infinity), which is not a number/);
      return true;
    }
  }
  return false;
}

test('what is no number is found wherever it lies and wherever chunks end, and nothing else is', async () => {
  const place = fc.record({
    before: fc.integer({ min: 0, max: 40 }),
    count: fc.integer({ min: 1, max: 20 }),
    index: fc.nat(),
    chunk: fc.integer({ min: 1, max: 70 }),
  });
  const dtype = fc.constantFrom('F16', 'BF16', 'F32', 'F64' as const);
  await fc.assert(
    fc.asyncProperty(
      dtype,
      place,
      fc.constantFrom('NaN', 'Infinity' as const),
      async (type, where, number) => {
        const at = { ...where, index: where.index % where.count };
        const bits = type === 'F64' ? Number(number) : BITS[type][number];
        expect(await isFound(type, at, bits)).toBe(true);
        expect(await isFound(type, at, FINITE[type])).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});

describe('an import refuses what is no number by the name of its tensor', () => {
  test.each([
    ['standard', 'vae', 'decoder.mid_block.resnets.0.conv1.weight', 'NaN'],
    ['standard', 'unet', 'conv_out.bias', 'Infinity'],
    ['cuda', 'vae', 'decoder.mid_block.resnets.0.conv1.weight', 'NaN'],
    ['cuda', 'unet', 'conv_out.bias', 'Infinity'],
  ] as const)('dialect %s: %s, %s', async (dialect, part, tensor, number) => {
    const from = join(scratch, `${dialect}-${part}`);
    cpSync(join(ROOT, 'lib/demo-model/model'), from, { recursive: true });
    const file = join(from, part, 'diffusion_pytorch_model.safetensors');
    await plantNumber(file, tensor, number);
    const to = join(scratch, `${dialect}-${part}-bundle`);
    await expect(importCheckpoint({ from, to, dialect })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: `${file}: tensor "${tensor}" holds ${number}, which is not a number to compute with`,
    });
    expect(existsSync(to)).toBe(false);
  });
});
