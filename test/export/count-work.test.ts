import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { countWork, flops, type PictureWork } from '../../lib/export/count-work.js';
import { TAESD, TEXT_ENCODER, UNET, VAE } from '../bench/checkpoint/sd-turbo-configs.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'count-work-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function bundleOf(configs: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(scratch, 'bundle-'));
  for (const [part, config] of Object.entries(configs)) {
    mkdirSync(join(folder, part));
    writeFileSync(join(folder, part, 'config.json'), JSON.stringify(config));
  }
  return folder;
}

function totals(work: PictureWork): Record<string, number> {
  return Object.fromEntries(Object.entries(work).map(([phase, operators]) => [phase, flops(operators)]));
}

// Golden numbers: torch 2.13's FlopCounterMode around the networks of diffusers 0.42.1 and transformers 5.23 on the
// meta device, with the attentions that multiply matrices (AttnProcessor, attn_implementation="eager").
const SD_TURBO = { text_encoder: 45_127_233_536, unet: 804_257_464_320 };

test('SD-Turbo at full size', async () => {
  const bundle = bundleOf({ text_encoder: TEXT_ENCODER, unet: UNET, vae_decoder: VAE, taesd_decoder: TAESD });
  expect(totals(await countWork(bundle, 'vae_decoder'))).toEqual({ ...SD_TURBO, decoder: 2_514_518_933_504 });
  expect(totals(await countWork(bundle, 'taesd_decoder'))).toEqual({ ...SD_TURBO, decoder: 141_350_141_952 });
});

test('the demo model', async () => {
  expect(totals(await countWork(join(ROOT, 'lib/demo-model/bundle'), 'vae_decoder'))).toEqual({
    text_encoder: 18_174_464,
    unet: 1_672_085_504,
    decoder: 22_483_697_664,
  });
});

test('an odd member of the family: no square, odd kernels, padding at one side, levels without attention', async () => {
  const folder = mkdtempSync(join(scratch, 'unusual-'));
  const checkpoint = join(ROOT, 'test/fixtures/family/unusual/checkpoint');
  for (const [from, to] of Object.entries({ text_encoder: 'text_encoder', unet: 'unet', vae: 'vae_decoder' }))
    cpSync(join(checkpoint, from, 'config.json'), join(folder, to, 'config.json'));
  expect(totals(await countWork(folder, 'vae_decoder'))).toEqual({
    text_encoder: 258_720,
    unet: 1_302_650,
    decoder: 8_042_880,
  });
});

test('every operator moves numbers, those of the weights among them', async () => {
  const bundle = bundleOf({ text_encoder: TEXT_ENCODER, unet: UNET, vae_decoder: VAE });
  const { unet } = await countWork(bundle, 'vae_decoder');
  expect(unet.every(({ numbersMoved }) => numbersMoved > 0)).toBe(true);
  const moved = unet.reduce((sum, { numbersMoved }) => sum + numbersMoved, 0);
  // 865,910,724 parameters, and activations: less than twice as many again.
  expect(moved).toBeGreaterThan(865e6);
  expect(moved).toBeLessThan(3 * 865e6);
});
