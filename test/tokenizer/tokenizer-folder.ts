import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import variants from './variants.json' with { type: 'json' };

export const { vocab, merges } = variants;
export const MERGES_TXT = `#version: 0.2\n${merges.join('\n')}\n`;

/** vocab.json and merges.txt of the small vocabulary (make_variants.py). */
export const SMALL: Readonly<Record<string, unknown>> = { 'vocab.json': vocab, 'merges.txt': MERGES_TXT };

/** As transformers 4 wrote it: merges are strings. */
export function tokenizerJson(addedTokens: unknown, mergesOf: unknown = merges): unknown {
  return {
    version: '1.0',
    added_tokens: addedTokens,
    model: { type: 'BPE', unk_token: '<|endoftext|>', end_of_word_suffix: '</w>', vocab, merges: mergesOf },
  };
}

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
