import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../lib/tokenizer/clip-tokenizer.js';
import { SMALL, tokenizerFolder } from './tokenizer-folder.js';
import { tokenizerJson } from './tokenizer-text.js';
import golden from './variants.json' with { type: 'json' };

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));
const CLIP = `${SHARED}reference/tokenizer`;
const TOKENS = `${SHARED}reference/tokens.json`;
const DEMO = `${SHARED}demo-model/model/tokenizer`;
if (!existsSync(TOKENS)) console.log(`tokenizer: ${TOKENS} is absent, CLIP's own vocabulary is not compared`);
if (!existsSync(DEMO)) console.log(`tokenizer: ${DEMO} is absent, the demo model's is not compared`);

interface Case {
  readonly prompt: string;
  readonly input_ids: number[];
  readonly tokens: number;
}

/** What 77 positions hold of ids that are neither cut nor padded. */
function expected(ids: number[], pad: number) {
  const [bos, eos] = [ids[0], ids.at(-1)] as [number, number];
  const tokens = ids.length - 2;
  const kept = [bos, ...ids.slice(1, -1).slice(0, 75), eos];
  const inputIds = Int32Array.from({ length: 77 }, (_, index) => kept[index] ?? pad);
  return { inputIds, tokens, truncated: Math.max(0, tokens - 75) };
}

describe.each(golden.variants)('with $name, against transformers 5.23 (make_variants.py)', (variant) => {
  const cases = variant.cases.map(({ prompt, ids }) => ({ prompt, ids: ids.split(' ').map(Number) }));

  async function compare(folder: string): Promise<void> {
    const tokenizer = await ClipTokenizer.load(folder);
    expect(tokenizer.maxLength).toBe(77);
    for (const { prompt, ids } of cases) {
      expect.soft(tokenizer.encode(prompt), prompt).toEqual(expected(ids, variant.pad));
    }
  }

  it('vocab.json and merges.txt give the same ids', async () => {
    const configs = { 'tokenizer_config.json': variant.config, 'special_tokens_map.json': variant.map };
    await compare(tokenizerFolder({ ...SMALL, ...configs }));
  });

  it.each([
    ['strings', golden.merges],
    ['pairs', golden.merges.map((merge) => merge.split(' '))],
  ])('so does the tokenizer.json that transformers saves, with merges as %s', async (_, merges) => {
    const { addedTokens, config } = variant.saved;
    const files = { 'tokenizer.json': tokenizerJson(addedTokens, merges), 'tokenizer_config.json': config };
    await compare(tokenizerFolder(files));
  });
});

describe.skipIf(!existsSync(TOKENS))("CLIP's vocabulary, against transformers 5.23 (make_tokens.py)", () => {
  const cases: Case[] = existsSync(TOKENS) ? JSON.parse(readFileSync(TOKENS, 'utf8')) : [];

  it.each([
    'reference/tokenizer',
    'reference/checkpoints/tiny-turbo/tokenizer',
    'reference/checkpoints/tiny-v1/tokenizer',
    'reference/optimum/tiny-v1/tokenizer',
  ])('%s gives the 77 ids of every prompt', async (folder) => {
    const tokenizer = await ClipTokenizer.load(SHARED + folder);
    expect(cases).toHaveLength(157);
    for (const { prompt, input_ids, tokens } of cases) {
      const truncated = Math.max(0, tokens - 77);
      const inputIds = Int32Array.from(input_ids);
      expect.soft(tokenizer.encode(prompt), prompt).toEqual({ inputIds, tokens: tokens - 2, truncated });
    }
  });

  it('pads with <|endoftext|> where no config says otherwise, and then "!" is a word like any', async () => {
    const files = ['vocab.json', 'merges.txt'].map((name) => [name, readFileSync(`${CLIP}/${name}`)]);
    const tokenizer = await ClipTokenizer.load(tokenizerFolder(Object.fromEntries(files)));
    // CLIPTokenizer.from_pretrained(folder)('wow!!!').input_ids, transformers 5.23
    const { inputIds, tokens } = tokenizer.encode('wow!!!');
    expect([...inputIds.slice(0, 4)]).toEqual([49406, 2781, 995, 49407]);
    expect(new Set(inputIds.slice(4))).toEqual(new Set([49407]));
    expect(tokens).toBe(2);
  });
});

describe.skipIf(!existsSync(DEMO))("the demo model's tokenizer", () => {
  const read = (name: string) => readFileSync(`${DEMO}/${name}`);

  it('gives the ids of transformers 5.23', async () => {
    const tokenizer = await ClipTokenizer.load(DEMO);
    for (const [prompt, ids] of DEMO_IDS) {
      expect.soft(tokenizer.encode(prompt), prompt).toEqual(expected([...ids], 0));
    }
  });

  it('gives the same through its tokenizer.json alone', async () => {
    const names = ['tokenizer.json', 'tokenizer_config.json'];
    const alone = tokenizerFolder(Object.fromEntries(names.map((name) => [name, read(name)])));
    const [one, other] = await Promise.all([ClipTokenizer.load(DEMO), ClipTokenizer.load(alone)]);
    const prompts = golden.variants.flatMap(({ cases }) => cases.map(({ prompt }) => prompt));
    for (const prompt of [...prompts, ...DEMO_IDS.map(([text]) => text)]) {
      expect.soft(other.encode(prompt), prompt).toEqual(one.encode(prompt));
    }
  });
});

/** CLIPTokenizer.from_pretrained('demo-model/model/tokenizer')(prompt).input_ids */
const DEMO_IDS: readonly (readonly [string, readonly number[]])[] = [
  ['A tree in a field under the night sky', [1272, 320, 562, 517, 320, 582, 538, 514, 570, 575, 1273]],
  ['wow!!! a RED fox, 3 dogs', [1272, 1188, 342, 0, 0, 0, 320, 846, 1176, 343, 267, 274, 866, 70, 338, 1273]],
  [
    'Zürich 42 naïve café',
    [1272, 89, 127, 120, 81, 72, 663, 275, 273, 913, 127, 107, 1099, 696, 69, 127, 358, 1273],
  ],
  [
    'hot-air balloon, aurora borealis <|endoftext|> <|STARTOFTEXT|>',
    [1272, 662, 268, 621, 593, 267, 654, 810, 1273, 27, 347, 612, 564, 69, 1180, 790, 91, 285, 1273],
  ],
];
