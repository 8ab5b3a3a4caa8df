import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MERGES_TXT, vocab } from './tokenizer-text.js';

/** vocab.json and merges.txt of the small vocabulary (make_variants.py). */
export const SMALL: Readonly<Record<string, unknown>> = { 'vocab.json': vocab, 'merges.txt': MERGES_TXT };

/** A directory of these files, deleted when the test ends. Strings and bytes as they are, the rest as JSON. */
export function tokenizerFolder(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined || content === null) continue;
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
  return folder;
}
