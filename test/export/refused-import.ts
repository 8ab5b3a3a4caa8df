import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { ROOT } from '../support/reference.js';

export const UNET_WEIGHTS = 'unet/diffusion_pytorch_model.safetensors';

export const scratch = mkdtempSync(join(tmpdir(), 'refusals-'));
afterAll(() => rmSync(scratch, { recursive: true }));

export const replaceBy = (file: string, text: string) => (folder: string) =>
  writeFileSync(join(folder, file), text);

/** A copy of the demo checkpoint with something changed. */
export function changed(change: (folder: string) => void): string {
  const folder = mkdtempSync(join(scratch, 'checkpoint-'));
  cpSync(join(ROOT, 'lib/demo-model/model'), folder, { recursive: true });
  change(folder);
  return folder;
}

/** The message with which a checkpoint is refused. Nothing is half-written: neither the target nor anything beside it. */
export async function refusal(from: string, taesd?: string): Promise<string> {
  const parent = mkdtempSync(join(scratch, 'target-'));
  const error = await importCheckpoint({ from, to: join(parent, 'bundle'), ...(taesd && { taesd }) }).then(
    () => expect.fail('the checkpoint was accepted'),
    (reason) => reason,
  );
  expect(readdirSync(parent)).toEqual([]);
  expect(error).toMatchObject({ name: 'AppError' });
  expect(error.message).not.toContain('\n');
  expect(error.message.length).toBeLessThan(1000);
  return error.message;
}
