import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPart } from '../../../lib/weights/checkpoint/open-part.js';
import { openDirectory } from '../../support/weights/open-directory.js';
import { writeSafetensors } from './write-safetensors.js';

const STEM = 'diffusion_pytorch_model';
const SHARD_1 = `${STEM}.fp16-00001-of-00002.safetensors`;
const SHARD_2 = `${STEM}.fp16-00002-of-00002.safetensors`;
const INDEX = `${STEM}.safetensors.index.fp16.json`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-part-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, shapes: Record<string, number[]>) =>
  writeSafetensors(join(folder, name), shapes);
const writeText = (name: string, text: string) => writeFile(join(folder, name), text);
const writeIndex = (weight_map: unknown, name = INDEX) =>
  writeText(name, JSON.stringify({ metadata: { total_size: 12 }, weight_map }));

async function writeShards(): Promise<void> {
  await write(SHARD_1, { a: [1], b: [2] });
  await write(SHARD_2, { c: [3] });
}
const MAP = { a: SHARD_1, b: SHARD_1, c: SHARD_2 };

describe('openPart', () => {
  it('prefers the fp16 variant, then the plain file, then shards', async () => {
    await writeShards();
    await writeIndex(MAP);
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([SHARD_1, SHARD_2]);
    await write(`${STEM}.safetensors`, { plain: [1] });
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([`${STEM}.safetensors`]);
    await write(`${STEM}.fp16.safetensors`, { half: [1] });
    const part = await openPart(openDirectory(folder), '', STEM);
    expect(part.files).toEqual([`${STEM}.fp16.safetensors`]);
    expect([...part.tensors]).toEqual([
      [
        'half',
        expect.objectContaining({ name: 'half', file: `${STEM}.fp16.safetensors`, shape: [1], length: 4 }),
      ],
    ]);
  });

  it('takes the only file of another variant, and names several', async () => {
    const [bf16, ema] = [`${STEM}.bf16.safetensors`, `${STEM}.non_ema.safetensors`];
    await write(bf16, { a: [1] });
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([bf16]);
    await write(ema, { a: [1] });
    await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining(`nor ${STEM}.safetensors, but "${bf16}", "${ema}"`),
    });
    await writeShards();
    await writeIndex(MAP);
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([SHARD_1, SHARD_2]);
  });

  it.each([
    `${STEM}.safetensors.index.bf16.json`,
    `${STEM}.safetensors.bf16.index.json`,
    `${STEM}.bf16.safetensors.index.json`,
    `${STEM}.safetensors.index.non_ema.json`,
    `${STEM}.safetensors.index.non-ema.json`,
  ])('joins the shards of the only other variant, %s', async (index) => {
    const shards = ['bf16-00001-of-00002', 'bf16-00002-of-00002'].map(
      (name) => `${STEM}.${name}.safetensors`,
    );
    const [one, two] = shards as [string, string];
    await write(one, { a: [1], b: [2] });
    await write(two, { c: [3] });
    await writeIndex({ a: one, b: one, c: two }, index);
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual(shards);
    // As for fp16: one file is preferred to several of its variant, and what has no variant to any.
    await write(`${STEM}.safetensors`, { plain: [1] });
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([`${STEM}.safetensors`]);
  });

  it('prefers one file of the only other variant to several, and names what it cannot choose from', async () => {
    await writeShards();
    await writeIndex(MAP, `${STEM}.safetensors.index.bf16.json`);
    const bf16 = `${STEM}.bf16.safetensors`;
    await write(bf16, { a: [1] });
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([bf16]);
    await writeIndex(MAP, `${STEM}.safetensors.index.non_ema.json`);
    await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining(`nor ${STEM}.safetensors, but "${bf16}"`),
    });
  });

  it('says that shards have no index', async () => {
    await writeShards();
    await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(
        /00001-of-00002.*: an index of such files is .*\.safetensors\.index\.json$/,
      ),
    });
  });

  it('looks for the stem only', async () => {
    await write('model.safetensors', { a: [1] });
    await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    expect((await openPart(openDirectory(folder), '', 'model')).files).toEqual(['model.safetensors']);
  });

  it.each([
    INDEX,
    `${STEM}.safetensors.fp16.index.json`,
    `${STEM}.fp16.safetensors.index.json`,
    `${STEM}.safetensors.index.json`,
  ])('joins the shards of %s', async (index) => {
    await writeShards();
    await writeIndex(MAP, index);
    const { files, tensors } = await openPart(openDirectory(folder), '', STEM);
    expect(files).toEqual([SHARD_1, SHARD_2]);
    expect([...tensors.values()].map(({ name, file }) => [name, file])).toEqual(Object.entries(MAP));
  });

  it('prefers the fp16 index', async () => {
    await writeShards();
    await writeIndex(MAP);
    await write('other.safetensors', { d: [1] });
    await writeIndex({ d: 'other.safetensors' }, `${STEM}.safetensors.index.json`);
    expect((await openPart(openDirectory(folder), '', STEM)).files).toEqual([SHARD_1, SHARD_2]);
  });

  it.each([`${STEM}.bin`, `${STEM}.ckpt`, 'flax_model.msgpack', 'model.pt', 'tf_model.h5'])(
    'asks to convert %s',
    async (name) => {
      await writeText(name, '');
      await writeText('config.json', '{}');
      await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: `${folder} has weights in another format only (${name}): convert them to safetensors first`,
      });
    },
  );

  it('says what it looked for', async () => {
    await expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: `${folder} has neither ${STEM}.fp16.safetensors nor ${STEM}.safetensors`,
    });
    const absent = join(folder, 'absent');
    await expect(openPart(openDirectory(absent), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/^cannot read .*absent: ENOENT/),
    });
  });
});

describe('openPart on a bad index', () => {
  beforeEach(writeShards);
  const refused = (message: RegExp) =>
    expect(openPart(openDirectory(folder), '', STEM)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(message),
    });

  it.each([
    '../outside.safetensors',
    'sub/shard.safetensors',
    'sub\\shard.safetensors',
    '/etc/shard.safetensors',
    '.safetensors',
    '..',
    '',
    'shard.bin',
    'shard.safetensors\0',
    'shard.safetensors\n',
    7,
    null,
  ])('refuses the shard name %j', async (shard) => {
    await writeIndex({ ...MAP, c: shard });
    await refused(/index\.fp16\.json: tensor "c": shard must be the plain name of a \.safetensors file/);
  });

  it('refuses a tensor that its shard lacks', async () => {
    await writeIndex({ ...MAP, d: SHARD_2 });
    await refused(/00002-of-00002\.safetensors lacks tensor "d" of /);
  });

  it('refuses a tensor that lies in another shard', async () => {
    await writeIndex({ ...MAP, b: SHARD_2 });
    await refused(/00001-of-00002\.safetensors: tensor "b" belongs into .*00002-of-00002/);
  });

  it('refuses a tensor that lies in two shards', async () => {
    await write(SHARD_2, { b: [2], c: [3] });
    await writeIndex(MAP);
    await refused(/00002-of-00002\.safetensors: tensor "b" belongs into .*00001-of-00002/);
  });

  it('refuses a tensor that the index leaves out', async () => {
    await writeIndex({ a: SHARD_1, c: SHARD_2 });
    await refused(/00001-of-00002\.safetensors: tensor "b" is not in /);
  });

  it('refuses a shard that is missing or damaged', async () => {
    await writeIndex({ ...MAP, c: 'absent.safetensors' });
    await refused(/cannot read .*absent\.safetensors: ENOENT/);
    await writeIndex(MAP);
    await writeText(SHARD_2, 'short');
    await refused(/00002-of-00002\.safetensors is text, not weights: "short"$/);
  });

  it('refuses a tensor that the index names twice', async () => {
    await writeText(INDEX, `{"weight_map":{"a":"${SHARD_1}","a":"${SHARD_2}"}}`);
    await refused(/index\.fp16\.json gives the same name twice/);
  });

  it.each([
    ['a list as the map', '{"weight_map":[]}', /weight_map must be an object/],
    ['no map', '{}', /weight_map must be an object/],
    ['an empty map', '{"weight_map":{}}', /weight_map is empty/],
    ['a list', '[]', /must be a JSON object/],
    ['an empty file', '', /is not JSON/],
    ['more than 16 MiB', ' '.repeat(16 * 1024 * 1024 + 1), /is longer than 16777216 bytes/],
  ])('refuses %s', async (_, text, message) => {
    await writeText(INDEX, text);
    await refused(message);
  });

  it('refuses more shards than any checkpoint has', async () => {
    const names = Array.from({ length: 1001 }, (_, i) => [`t${i}`, `s${i}.safetensors`]);
    await writeIndex(Object.fromEntries(names));
    await refused(/names more than 1000 shards/);
  });

  it('refuses an index that is a folder', async () => {
    await mkdir(join(folder, INDEX));
    await refused(/is not a file|EISDIR/);
  });
});

const CHECKPOINT = '../shared/reference/checkpoints/tiny-turbo';
if (!existsSync(CHECKPOINT)) console.warn(`skipped: ${CHECKPOINT} is absent`);

describe.skipIf(!existsSync(CHECKPOINT))('openPart on a checkpoint that diffusers wrote', () => {
  it.each([
    ['unet', STEM, 686],
    // SD-Turbo's has 248: these widths need two shortcut convolutions less.
    ['vae', STEM, 244],
    // Three layers of 16 tensors, two embeddings, the last norm.
    ['text_encoder', 'model', 3 * 16 + 4],
  ] as const)('finds all tensors of %s', async (part, stem, count) => {
    const { files, tensors } = await openPart(openDirectory(CHECKPOINT), part, stem);
    expect(files).toEqual([`${stem}.fp16.safetensors`]);
    expect(tensors.size).toBe(count);
  });
});
