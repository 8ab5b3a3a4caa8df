import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '../../../lib/weights/checkpoint/safetensors-header.js';
import { openDirectory } from '../../support/weights/open-directory.js';
import { NormalBlocks, toFloat16 } from '../normal-blocks.js';
import { taesdTensors, textEncoderTensors, unetTensors, vaeTensors } from './sd-turbo-tensors.js';
import { countNumbers, encodeFloat16Header, writeRandomSafetensors } from './write-random-safetensors.js';

describe('the tensors of SD-Turbo', () => {
  // Digests of names and shapes: state_dict() of diffusers 0.42.1 and transformers 5.23.0 with these configs on
  // the meta device, the text encoder's names with `text_model.` before them. Bytes: the published files.
  it.each([
    [
      'unet',
      unetTensors(),
      686,
      865_910_724,
      1_731_904_736,
      'eb6babef435c36ea70eebfee3f4dd74a328384b9c17eb489811acd8ce6839f41',
    ],
    [
      'text_encoder',
      textEncoderTensors(),
      372,
      340_387_840,
      680_820_392,
      'a29f889b0a47851d6fcf0902dfafaca1f6e43890734b03708e2a7b2e9fdbb908',
    ],
    [
      'vae',
      vaeTensors(),
      248,
      83_653_863,
      167_335_342,
      'e35b8495640e49ff715d899fb0724529362d990a00fe6e16e6578dd957c8866f',
    ],
    [
      'taesd',
      taesdTensors(),
      134,
      2_445_063,
      undefined,
      'b78af0727f30463158eb31aaa01037813bc4c2ff87b47edd56eb853567674abe',
    ],
  ])('%s', (_, shapes, tensors, parameters, bytes, digest) => {
    expect(shapes.size).toBe(tensors);
    const numbers = [...shapes.values()].reduce((sum, shape) => sum + countNumbers(shape), 0);
    expect(numbers).toBe(parameters);
    if (bytes !== undefined) expect(encodeFloat16Header(shapes).length + 2 * numbers).toBe(bytes);
    const lines = [...shapes].map(([name, shape]) => `${name} ${shape}`).sort();
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(digest);
  });
});

describe('writeRandomSafetensors', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'random-safetensors-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const shapes = new Map([
    ['z.weight', [3000, 400]],
    ['norm.weight', [64]],
    ['norm.bias', [64]],
  ]);
  async function write(name: string, seed: number): Promise<Buffer> {
    const path = join(folder, name);
    await writeRandomSafetensors({ path, shapes, seed, blocks: new NormalBlocks(seed) });
    return readFile(path);
  }

  it('writes a valid file of the given shapes, longer than one block', async () => {
    await write('a', 1);
    const tensors = await readSafetensorsHeader(openDirectory(folder), 'a');
    expect(new Map(tensors.map(({ name, shape }) => [name, shape]))).toEqual(shapes);
    expect(tensors.every(({ dtype }) => dtype === 'F16')).toBe(true);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const bytes = await write('a', 1);
    expect((await write('b', 1)).equals(bytes)).toBe(true);
    expect((await write('c', 2)).equals(bytes)).toBe(false);
  });
});

describe('toFloat16', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -26, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [-3 * 2 ** -25, 0x8002],
  ])('rounds %d to the nearest, ties to even', (number, bits) => {
    expect(toFloat16(Float32Array.of(number))[0]).toBe(bits);
  });
});
