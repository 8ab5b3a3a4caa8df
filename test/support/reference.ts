import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Decoder } from '../../lib/schemas/request.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Checkpoints and what diffusers made of them; beside the checkout where it is to be had. */
export const REFERENCE = join(ROOT, '../shared/reference');

export const hasReference = existsSync(join(REFERENCE, 'README.md'));
if (!hasReference) console.warn(`${REFERENCE} is not there: the tests against diffusers are skipped`);

export interface ReferenceCase {
  readonly prompt: string;
  readonly num_steps: number;
  readonly seed: number;
  readonly num_images?: number;
  readonly decoder: Decoder;
  readonly files: readonly string[];
}

export function readCases(folder: string): ReferenceCase[] {
  return JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
}
