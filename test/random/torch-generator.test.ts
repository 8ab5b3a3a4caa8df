import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import golden from '../fixtures/random/torch-randn.json' with { type: 'json' };
import { float32Tensor, readSafetensors } from '../support/graphs/read-safetensors.js';

const REFERENCE = fileURLToPath(new URL('../../../shared/reference/expected/', import.meta.url));
const hasReference = existsSync(REFERENCE);
if (!hasReference) console.log(`torch-randn: ${REFERENCE} is absent, its noise is not compared`);

function sha256(numbers: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    .digest('hex');
}

describe('TorchGenerator, against PyTorch 2.13 (make_torch_randn.py)', () => {
  it.each(golden.runs)('$count numbers from seed $seed', ({ count, seed, tail, sha256: digest }) => {
    const numbers = new TorchGenerator(seed).randn(count);
    expect(numbers).toHaveLength(count);
    expect([...numbers.slice(-tail.length)]).toEqual(tail);
    expect(sha256(numbers)).toBe(digest);
  });

  it('draws the noise of several pictures in one run, as diffusers does', () => {
    const { shape, seed, sha256: digest } = golden.diffusers;
    const count = shape.reduce((product, size) => product * size, 1);
    expect(sha256(new TorchGenerator(seed).randn(count))).toBe(digest);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 24 + 1])('refuses a count of %s', (count) => {
    expect(() => new TorchGenerator(0).randn(count)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses a seed of %s', (seed) => {
    expect(() => new TorchGenerator(seed).randn(16)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});

describe.skipIf(!hasReference)('TorchGenerator, against the reference pipelines', () => {
  it.each(['tiny-turbo', 'tiny-v1'])('%s: the initial noise', (name) => {
    const tensors = readSafetensors(`${REFERENCE}${name}/tensors.safetensors`);
    // tensors.safetensors is the second case of cases.json.
    const [, { seed }] = JSON.parse(readFileSync(`${REFERENCE}${name}/cases.json`, 'utf8')) as [
      unknown,
      { seed: number },
    ];
    const noise = float32Tensor(tensors, 'noise');
    expect(new TorchGenerator(seed).randn(noise.length)).toEqual(noise);
  });
});
