import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../weights/checkpoint/write-safetensors.js';
import { changed, refusal, replaceBy, scratch, UNET_WEIGHTS } from './refused-import.js';

const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 42\n';

describe('something else in its place: the message says what, and what to do', () => {
  test.each([
    [UNET_WEIGHTS, POINTER, /is a Git LFS pointer.*git lfs pull/],
    ['tokenizer/tokenizer.json', POINTER, /tokenizer.json is a Git LFS pointer/],
    ['unet/config.json', POINTER, /unet\/config.json is a Git LFS pointer/],
    [UNET_WEIGHTS, '<!doctype html><title>Sign in</title>', /is an HTML page/],
    ['model_index.json', '<!doctype html>', /model_index.json is an HTML page/],
    ['scheduler/scheduler_config.json', '<?xml version="1.0"?><Error/>', /is an XML document/],
    [UNET_WEIGHTS, '{"error":"Invalid username or password."}', /is text, not weights: .*Invalid username/],
    [UNET_WEIGHTS, 'PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl', /is a ZIP archive, as torch.save/],
    [
      'vae/config.json',
      '{"latent_channels": 4, "latent_channels": 4}',
      /twice in one object: "latent_channels"/,
    ],
    ['vae/config.json', '{} // none', /vae\/config.json is not JSON: line 1 has a comment/],
  ])('%s', async (file, text, message) => {
    expect(await refusal(changed(replaceBy(file, text)))).toMatch(message);
  });

  test('a checkpoint in one file', async () => {
    const folder = mkdtempSync(join(scratch, 'single-'));
    await writeSafetensors(join(folder, 'sd_turbo.safetensors'), { x: [1] });
    expect(await refusal(folder)).toMatch(
      /no model_index.json, but "sd_turbo.safetensors".*from_single_file/,
    );
  });
});

describe('names that a wrapper has changed: the message says which, and how to save it', () => {
  const wrap = (file: string, edit: (name: string) => string) => (folder: string) => {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const entries = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    const renamed = Object.entries(entries).map(([name, entry]) => [
      name === '__metadata__' ? name : edit(name),
      entry,
    ]);
    const header = Buffer.from(JSON.stringify(Object.fromEntries(renamed)));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([size, header, bytes.subarray(8 + length)]));
  };
  const TEXT_ENCODER = 'text_encoder/model.safetensors';

  test.each<[string, string, (name: string) => string, RegExp]>([
    [
      'torch.compile',
      UNET_WEIGHTS,
      (name) => `_orig_mod.${name}`,
      /"_orig_mod\.\S+" is there, .*torch.compile: save/,
    ],
    [
      'torch.compile, deeper',
      UNET_WEIGHTS,
      (name) => name.replace('attn1', 'attn1._orig_mod'),
      /torch.compile/,
    ],
    ['DataParallel', UNET_WEIGHTS, (name) => `module.${name}`, /DataParallel.*model\.module/],
    ['FSDP', UNET_WEIGHTS, (name) => `_fsdp_wrapped_module.${name}`, /FSDP/],
    ['both', UNET_WEIGHTS, (name) => `module._orig_mod.${name}`, /is there, with "_orig_mod\."/],
    ['PEFT', UNET_WEIGHTS, (name) => `base_model.model.${name}`, /merge_and_unload/],
    ['an adapter', UNET_WEIGHTS, (name) => name.replace('to_q.', 'to_q.base_layer.'), /adapter in it/],
    [
      'another part',
      UNET_WEIGHTS,
      (name) => `unet.${name}`,
      /"unet\.\S+" is there: save the part "unet" alone/,
    ],
    ['the original code', UNET_WEIGHTS, (name) => `model.diffusion_model.${name}`, /from_single_file/],
    ['a text encoder', TEXT_ENCODER, (name) => `module.${name}`, /"module\.\S+" is there/],
    ['anything', UNET_WEIGHTS, (name) => name.replaceAll('.', '/'), /of \d+ there the first are "/],
  ])('%s', async (_, file, edit, message) => {
    const text = await refusal(changed(wrap(file, edit)));
    expect(text).toMatch(/tensor "\S+" is missing from the weights/);
    expect(text).toMatch(message);
  });
});
