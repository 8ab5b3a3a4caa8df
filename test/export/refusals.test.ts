import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'refusals-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A copy of the demo checkpoint with something changed. */
function changed(change: (folder: string) => void): string {
  const folder = mkdtempSync(join(scratch, 'checkpoint-'));
  cpSync(join(ROOT, 'lib/demo-model/model'), folder, { recursive: true });
  change(folder);
  return folder;
}

function editJson(file: string, changes: object) {
  return (folder: string) => {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  };
}

const UNET_WEIGHTS = 'unet/diffusion_pytorch_model.safetensors';

/** Rewrites the header of a safetensors file, with the same length, so that all offsets stay right. */
function editHeader(file: string, edit: (header: string) => string) {
  return (folder: string) => {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = edit(bytes.toString('utf8', 8, 8 + length)).trimEnd();
    expect(header.length).toBeLessThanOrEqual(length);
    bytes.write(header.padEnd(length), 8, 'utf8');
    writeFileSync(path, bytes);
  };
}

/** Nothing half-written: neither the target nor anything beside it. */
async function refusal(from: string): Promise<string> {
  const parent = mkdtempSync(join(scratch, 'target-'));
  const error = await importCheckpoint({ from, to: join(parent, 'bundle') }).then(
    () => expect.fail('the checkpoint was accepted'),
    (reason) => reason,
  );
  expect(readdirSync(parent)).toEqual([]);
  expect(error).toMatchObject({ name: 'AppError' });
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('outside the family: the message names file, key and value', () => {
  test.each([
    [
      'model_index.json',
      { _class_name: 'StableDiffusionXLPipeline' },
      '_class_name',
      'StableDiffusionXLPipeline',
    ],
    ['model_index.json', { vae: ['diffusers', 'AutoencoderKLWan'] }, 'vae', 'AutoencoderKLWan'],
    ['unet/config.json', { _class_name: 'UNet3DConditionModel' }, '_class_name', 'UNet3DConditionModel'],
    [
      'unet/config.json',
      { down_block_types: ['DownBlock2D', 'AttnDownBlock2D'] },
      'down_block_types',
      'AttnDownBlock2D',
    ],
    [
      'unet/config.json',
      { mid_block_type: 'UNetMidBlock2DSimpleCrossAttn' },
      'mid_block_type',
      'SimpleCrossAttn',
    ],
    ['unet/config.json', { class_embed_type: 'timestep' }, 'class_embed_type', 'timestep'],
    ['unet/config.json', { addition_embed_type: 'text_time' }, 'addition_embed_type', 'text_time'],
    ['unet/config.json', { dual_cross_attention: true }, 'dual_cross_attention', 'true'],
    ['unet/config.json', { time_embedding_type: 'fourier' }, 'time_embedding_type', 'fourier'],
    ['unet/config.json', { act_fn: 'elu' }, 'act_fn', 'elu'],
    ['unet/config.json', { layers_per_block: [1, 1] }, 'layers_per_block', '[1,1]'],
    ['unet/config.json', { norm_num_groups: 7 }, 'norm_num_groups', '7'],
    ['unet/config.json', { sample_size: null }, 'sample_size', 'null'],
    ['unet/config.json', { block_out_channels: [2 ** 40, 1, 1, 1] }, 'block_out_channels', '1099511627776'],
    ['unet/config.json', { layers_per_block: 1e9 }, 'layers_per_block', '1000000000'],
    ['vae/config.json', { _class_name: 'AsymmetricAutoencoderKL' }, '_class_name', 'AsymmetricAutoencoderKL'],
    ['vae/config.json', { latents_mean: [0, 0, 0, 0] }, 'latents_mean', '[0,0,0,0]'],
    ['vae/config.json', { up_block_types: ['UpDecoderBlock2D'] }, 'up_block_types', 'UpDecoderBlock2D'],
    ['text_encoder/config.json', { hidden_act: 'relu' }, 'hidden_act', 'relu'],
    ['text_encoder/config.json', { num_attention_heads: 5 }, 'num_attention_heads', '5'],
  ])('%s %j', async (file, changes, key, value) => {
    const message = await refusal(changed(editJson(file, changes)));
    for (const part of [file, key, value]) expect(message).toContain(part);
  });
});

describe('damaged: the message names the file', () => {
  test.each([
    [
      'a missing config',
      (folder: string) => unlinkSync(join(folder, 'unet/config.json')),
      'unet/config.json',
    ],
    ['missing weights', (folder: string) => unlinkSync(join(folder, UNET_WEIGHTS)), 'unet'],
    ['a missing index', (folder: string) => unlinkSync(join(folder, 'model_index.json')), 'model_index.json'],
    ['no JSON', (folder: string) => writeFileSync(join(folder, 'vae/config.json'), '{'), 'vae/config.json'],
    [
      'truncated weights',
      (folder: string) => truncateSync(join(folder, UNET_WEIGHTS), 5_000_000),
      UNET_WEIGHTS,
    ],
    ['a truncated header', (folder: string) => truncateSync(join(folder, UNET_WEIGHTS), 100), UNET_WEIGHTS],
    [
      'an unknown scheduler',
      editJson('scheduler/scheduler_config.json', { _class_name: 'PNDMScheduler' }),
      'scheduler_config.json',
    ],
    [
      'no vocabulary',
      (folder: string) => rmSync(join(folder, 'tokenizer'), { recursive: true }),
      'tokenizer',
    ],
  ])('%s', async (_, change, named) => {
    expect(await refusal(changed(change))).toContain(named);
  });
});

describe('tensors and config must agree', () => {
  test('a missing tensor and one too many', async () => {
    const renamed = editHeader(UNET_WEIGHTS, (header) => header.replace('"conv_in.bias"', '"conv_in.bios"'));
    expect(await refusal(changed(renamed))).toContain('"conv_in.bias" is missing');
    const extra = editHeader('vae/diffusion_pytorch_model.safetensors', (header) =>
      header.replace('"encoder.conv_in.bias"', '"unknown.conv_in.bias"'),
    );
    expect(await refusal(changed(extra))).toContain('"unknown.conv_in.bias"');
  });

  test('a wrong shape', async () => {
    const flat = editHeader(UNET_WEIGHTS, (header) => header.replace('[24,4,3,3]', '[24,36]'));
    expect(await refusal(changed(flat))).toMatch(/conv_in.weight.*\[24, 36\].*\[24, 4, 3, 3\]/);
  });

  test('numbers that are no floats', async () => {
    const integers = editHeader(UNET_WEIGHTS, (header) =>
      header.replace(/"F16"(,"shape":\[24,4,3,3\])/, '"I16"$1'),
    );
    expect(await refusal(changed(integers))).toMatch(/conv_in.weight.*I16/);
  });

  test('parts that do not fit together', async () => {
    const wide = editJson('unet/config.json', { cross_attention_dim: 80 });
    expect(await refusal(changed(wide))).toMatch(/cross_attention_dim is 80.*hidden_size is 64/);
  });
});
