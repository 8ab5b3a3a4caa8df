import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';
import { writeSafetensors } from '../weights/checkpoint/write-safetensors.js';
import { changed, refusal, replaceBy, scratch, UNET_WEIGHTS } from './refused-import.js';

function editJson(file: string, changes: object) {
  return (folder: string) => {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  };
}

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

const DEEP = '['.repeat(300_000) + ']'.repeat(300_000);

const moved = (from: string, to: string) => (folder: string) =>
  renameSync(join(folder, from), join(folder, to));
const replaceByFolder = (file: string) => (folder: string) => {
  rmSync(join(folder, file));
  mkdirSync(join(folder, file));
};

describe('outside the family: the message names file, key and value', () => {
  test.each([
    [
      'model_index.json',
      { _class_name: 'StableDiffusionXLPipeline' },
      '_class_name',
      'StableDiffusionXLPipeline',
    ],
    ['model_index.json', { vae: ['diffusers', 'AutoencoderKLWan'] }, 'vae', 'AutoencoderKLWan'],
    ['model_index.json', { text_encoder: ['transformers', 'T5EncoderModel'] }, 'text_encoder', 'T5Encoder'],
    ['model_index.json', { tokenizer: ['transformers', 'T5Tokenizer'] }, 'tokenizer', 'T5Tokenizer'],
    ['model_index.json', { unet: ['mine', 'UNet2DConditionModel'] }, 'unet', 'mine'],
    ['model_index.json', { scheduler: ['diffusers', 'LCMScheduler'] }, 'scheduler', 'LCMScheduler'],
    ['model_index.json', { scheduler: undefined }, 'scheduler', 'nothing'],
    ['sd-turbo-card.json', { name: 'stabilityai/sd-turbo' }, 'name', 'stabilityai/sd-turbo'],
    ['sd-turbo-card.json', { vocabulary: { sky: { night: 'moon' } } }, 'vocabulary.sky.night', 'moon'],
    [
      'scheduler/scheduler_config.json',
      { _class_name: 'PNDMScheduler' },
      'EulerDiscreteScheduler',
      'PNDMScheduler',
    ],
    ['scheduler/scheduler_config.json', { use_karras_sigmas: true }, 'use_karras_sigmas', 'true'],
    ['scheduler/scheduler_config.json', { num_train_timesteps: 1e9 }, 'num_train_timesteps', '1000000000'],
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
    ['unet/config.json', { up_block_types: ['SkipUpBlock2D'] }, 'up_block_types', 'SkipUpBlock2D'],
    ['unet/config.json', { class_embed_type: 'timestep' }, 'class_embed_type', 'timestep'],
    ['unet/config.json', { num_class_embeds: 10 }, 'num_class_embeds', '10'],
    ['unet/config.json', { encoder_hid_dim: 96 }, 'encoder_hid_dim', '96'],
    ['unet/config.json', { encoder_hid_dim_type: 'text_proj' }, 'encoder_hid_dim_type', 'text_proj'],
    ['unet/config.json', { time_cond_proj_dim: 256 }, 'time_cond_proj_dim', '256'],
    ['unet/config.json', { num_attention_heads: 8 }, 'num_attention_heads', '8'],
    ['unet/config.json', { reverse_transformer_layers_per_block: [[1]] }, 'reverse_transformer', '[[1]]'],
    ['unet/config.json', { attention_type: 'gated' }, 'attention_type', 'gated'],
    ['unet/config.json', { attention_head_dim: 0 }, 'attention_head_dim', '0'],
    ['unet/config.json', { resnet_time_scale_shift: 'spatial' }, 'resnet_time_scale_shift', 'spatial'],
    ['unet/config.json', { timestep_post_act: 'tanh' }, 'timestep_post_act', 'tanh'],
    ['unet/config.json', { conv_in_kernel: 2 }, 'conv_in_kernel', '2'],
    ['unet/config.json', { conv_out_kernel: 4 }, 'conv_out_kernel', '4'],
    ['unet/config.json', { downsample_padding: 9 }, 'downsample_padding', '9'],
    ['unet/config.json', { mid_block_scale_factor: 0 }, 'mid_block_scale_factor', '0'],
    ['unet/config.json', { norm_eps: -1 }, 'norm_eps', '-1'],
    ['unet/config.json', { norm_num_groups: null }, 'norm_num_groups', 'null'],
    ['unet/config.json', { freq_shift: 12 }, 'freq_shift', '12'],
    ['unet/config.json', { sample_size: 1e6 }, 'sample_size', '1000000'],
    ['unet/config.json', { sample_size: 4, downsample_padding: 0 }, 'sample_size', '1 x 1'],
    ['unet/config.json', { time_embedding_dim: 2 ** 21 }, 'time_embedding_dim', '2097152'],
    ['unet/config.json', { transformer_layers_per_block: 1e9 }, 'transformer_layers', '1000000000'],
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
    ['vae/config.json', { out_channels: 1 }, 'out_channels', '1'],
    ['vae/config.json', { scaling_factor: 0 }, 'scaling_factor', '0'],
    ['vae/config.json', { act_fn: 'elu' }, 'act_fn', 'elu'],
    ['vae/config.json', { layers_per_block: 1e9 }, 'layers_per_block', '1000000000'],
    ['vae/config.json', { norm_num_groups: 5 }, 'norm_num_groups', '5'],
    ['vae/config.json', { up_block_types: ['UpDecoderBlock2D'] }, 'up_block_types', 'UpDecoderBlock2D'],
    ['text_encoder/config.json', { use_attention_mask: true }, 'use_attention_mask', 'true'],
    ['text_encoder/config.json', { hidden_act: 'relu' }, 'hidden_act', 'relu'],
    ['text_encoder/config.json', { num_attention_heads: 5 }, 'num_attention_heads', '5'],
    ['text_encoder/config.json', { architectures: ['CLIPVisionModel'] }, 'architectures', 'CLIPVisionModel'],
    ['text_encoder/config.json', { max_position_embeddings: 248 }, 'max_position_embeddings', '248'],
    ['text_encoder/config.json', { num_hidden_layers: 1e9 }, 'num_hidden_layers', '1000000000'],
    ['text_encoder/config.json', { vocab_size: 2 ** 40 }, 'vocab_size', '1099511627776'],
    ['unet/config.json', { act_fn: 'two\nlines' }, 'act_fn', 'two\\nlines'],
    ['unet/config.json', { act_fn: 'x'.repeat(100_000) }, 'act_fn', 'xxx'],
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
    ['a folder for a config', replaceByFolder('text_encoder/config.json'), 'text_encoder/config.json'],
    ['a folder for weights', replaceByFolder(UNET_WEIGHTS), UNET_WEIGHTS],
    ['null for a config', replaceBy('unet/config.json', 'null'), 'unet/config.json'],
    ['a list for a config', replaceBy('model_index.json', '[]'), 'model_index.json'],
    ['a config of 2 MB', replaceBy('vae/config.json', `{"x":"${'x'.repeat(2e6)}"}`), 'vae/config.json'],
    ['deep brackets', replaceBy('unet/config.json', `{"_class_name":${DEEP}}`), 'unet/config.json'],
    [
      'deep brackets in the scheduler',
      replaceBy('scheduler/scheduler_config.json', `{"beta_start":${DEEP}}`),
      'scheduler_config.json',
    ],
    [
      'weights in another format',
      moved(UNET_WEIGHTS, 'unet/diffusion_pytorch_model.bin'),
      'pytorch_model.bin',
    ],
    ['no JSON', (folder: string) => writeFileSync(join(folder, 'vae/config.json'), '{'), 'vae/config.json'],
    [
      'truncated weights',
      (folder: string) => truncateSync(join(folder, UNET_WEIGHTS), 5_000_000),
      UNET_WEIGHTS,
    ],
    ['a truncated header', (folder: string) => truncateSync(join(folder, UNET_WEIGHTS), 100), UNET_WEIGHTS],
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

  // Far more than the file has: refused at the first tensor, before anything of that size is made.
  test.each([
    ['unet/config.json', { block_out_channels: new Array(4).fill(2 ** 20) }, UNET_WEIGHTS],
    ['unet/config.json', { layers_per_block: 256, transformer_layers_per_block: 256 }, 'unet'],
    ['text_encoder/config.json', { num_hidden_layers: 256 }, '"encoder.layers.2'],
    ['vae/config.json', { layers_per_block: 256 }, '"decoder.up_blocks.0.resnets.2'],
  ])('more than there is: %s %j', async (file, changes, named) => {
    expect(await refusal(changed(editJson(file, changes)))).toContain(named);
  });

  test('less than there is', async () => {
    const short = editJson('text_encoder/config.json', { num_hidden_layers: 1 });
    expect(await refusal(changed(short))).toMatch(/text_encoder: .*"encoder.layers.1.*and \d+ more/);
  });

  test('a tensor whose name steers the terminal', async () => {
    const unused = editHeader('vae/diffusion_pytorch_model.safetensors', (header) =>
      header.replace('"encoder.conv_in.bias"', '"a\\n\\u001b[2J"'),
    );
    expect(await refusal(changed(unused))).toContain('"a\\n\\u001b[2J"');
  });

  test.each([
    ['unet/config.json', { cross_attention_dim: 80 }, /cross_attention_dim is 80.*hidden_size is 64/],
    [
      'unet/config.json',
      { cross_attention_dim: [64, 64, 64, 32] },
      /cross_attention_dim is 32.*hidden_size is 64/,
    ],
    ['unet/config.json', { in_channels: 9 }, /in_channels is 9.*latent_channels is 4/],
    ['vae/config.json', { latent_channels: 16 }, /in_channels is 4.*latent_channels is 16/],
    [
      'text_encoder/config.json',
      { vocab_size: 1000 },
      /"<\|endoftext\|>" has the id 1273, but text_encoder vocab_size is 1000/,
    ],
    ['tokenizer/tokenizer_config.json', { model_max_length: 64 }, /model_max_length is 64/],
    [
      'tokenizer/tokenizer_config.json',
      { pad_token: '<pad>' },
      /token "<pad>" has the id 1274, but text_encoder vocab_size is 1274: take/,
    ],
    [
      'tokenizer/tokenizer_config.json',
      { added_tokens_decoder: { 1274: { content: '<cat>' } } },
      /token "<cat>" has the id 1274, but text_encoder vocab_size is 1274/,
    ],
  ])('parts that do not fit together: %s %j', async (file, changes, message) => {
    expect(await refusal(changed(editJson(file, changes)))).toMatch(message);
  });

  test('a TAESD that is none, or for other latents', async () => {
    const demo = join(ROOT, 'lib/demo-model/model');
    expect(await refusal(demo, demo)).toContain(join(demo, 'config.json'));
    expect(await refusal(demo, join(demo, 'vae'))).toMatch(
      /vae\/config.json: "_class_name" is "AutoencoderKL"/,
    );
    const wide = mkdtempSync(join(scratch, 'taesd-'));
    writeFileSync(join(wide, 'config.json'), '{"_class_name":"AutoencoderTiny","latent_channels":16}');
    await writeSafetensors(join(wide, 'diffusion_pytorch_model.safetensors'), { x: [1] });
    expect(await refusal(demo, wide)).toMatch(/taesd latent_channels is 16/);
  });
});
