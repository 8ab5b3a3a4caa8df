import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../lib/tokenizer/clip-tokenizer.js';
import golden from './layouts.json' with { type: 'json' };
import { SMALL, tokenizerFolder } from './tokenizer-folder.js';
import { tokenizerJson, vocab } from './tokenizer-text.js';

type Layout = (typeof golden.layouts)[number];
const named = golden.layouts.filter(({ name }) => name !== '');
const random = golden.layouts.filter(({ name }) => name === '');

function load({ files, base }: Layout): Promise<ClipTokenizer> {
  const { 'tokenizer.json': stored, ...others } = files as Record<string, Record<string, unknown>>;
  return ClipTokenizer.load(
    tokenizerFolder({ ...(base && SMALL), ...others, ...(stored && { 'tokenizer.json': whole(stored) }) }),
  );
}

/** The vocabulary, which is not repeated for every layout. */
function whole({ added_tokens, old, swap, ...more }: Record<string, unknown>): unknown {
  const made = { ...(tokenizerJson(added_tokens) as { model: Record<string, unknown> }), ...more };
  const ids: Record<string, number> = { ...vocab };
  const [one, other] = (swap as [keyof typeof vocab, keyof typeof vocab] | undefined) ?? [];
  if (one && other) Object.assign(ids, { [one]: vocab[other], [other]: vocab[one] });
  const { type, ...model } = made.model;
  return { ...made, model: { ...model, ...(old ? {} : { type }), vocab: ids } };
}

function encodeAll(tokenizer: ClipTokenizer, pad: number | null): string[] {
  return golden.prompts.map((prompt) => {
    const { inputIds } = tokenizer.encode(prompt);
    return inputIds.slice(0, inputIds.findLastIndex((id) => id !== pad) + 1).join(' ');
  });
}

describe('the ids of transformers 5.23 (make_layouts.py)', () => {
  it.each(named)('$name', async (layout) => {
    expect(encodeAll(await load(layout), layout.pad)).toEqual(layout.ids);
  });

  it('or a refusal that names the folder, for any mixture of files', async () => {
    let same = 0;
    for (const layout of random) {
      const tokenizer = await load(layout).catch((error: unknown) => error);
      const shown = JSON.stringify(layout.files);
      if (tokenizer instanceof ClipTokenizer) {
        // What transformers cannot read has no ids to be compared with.
        if (layout.ids) expect(encodeAll(tokenizer, layout.pad), shown).toEqual(layout.ids);
        same += 1;
        continue;
      }
      const message = expect.stringMatching(/^\/.*tokenizer-\w+/);
      expect(tokenizer, shown).toMatchObject({ code: 'INVALID_FILE', message });
    }
    expect(same).toBeGreaterThan(0.7 * random.length);
  });
});

describe('refused by name, where transformers gives ids', () => {
  const config = (content: unknown) => ({ 'tokenizer_config.json': content });
  const stored = (id: number, content: string) => ({ id, content, normalized: true });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['padding at the beginning', config({ padding_side: 'left' }), /"padding_side" is "left", only right is/],
    [
      'padding at the beginning, by tokenizer.json',
      { 'tokenizer.json': { ...(tokenizerJson([]) as object), padding: { direction: 'Left' } } },
      /"padding_side" is "Left"/,
    ],
    ['cut at the beginning', config({ truncation_side: 'left' }), /"truncation_side" is "left"/],
    [
      'split special tokens',
      config({ split_special_tokens: true }),
      /"split_special_tokens": is not supported/,
    ],
    ['a vocabulary in the config', config({ vocab: { a: 0 } }), /"vocab": is not supported: the vocabulary/],
    ['arguments', config({ init_inputs: ['vocab.json'] }), /"init_inputs": is not supported/],
    [
      'a tokenizer.json of another name',
      config({ fast_tokenizer_files: ['tokenizer.4.0.0.json'] }),
      /_files.0"/,
    ],
    [
      'a token that strips',
      { 'special_tokens_map.json': { pad_token: { content: '!', rstrip: true } } },
      /"pad_token.rstrip": is not supported, only false$/,
    ],
    ['a sentencepiece model', { 'tokenizer.model': 'x' }, /tokenizer.model is a vocabulary of another kind/],
    [
      'an id that is not the next',
      { 'added_tokens.json': { '<cat>': 600 } },
      /"<cat>" has the id 600, but 540 in/,
    ],
    [
      'two tokens of one id',
      { 'added_tokens.json': { '<cat>': 540 }, 'tokenizer.json': tokenizerJson([stored(540, '<dog>')]) },
      /added_tokens.json: added token "<cat>" has the id 540, but that is "<dog>" in tokenizer.json$/,
    ],
    [
      'two tokens that are the same in lower case',
      { 'added_tokens.json': { '<cat>': 540, '<Cat>': 541 } },
      /"<cat>" and "<Cat>" are the same in lower case/,
    ],
    ['no unknown token', config({ unk_token: null }), /"unk_token" must be a token, not null/],
  ])('%s', async (_, files, message) => {
    const folder = tokenizerFolder({ ...SMALL, ...files });
    const refusal = { code: 'INVALID_FILE', message: expect.stringMatching(message) };
    await expect(ClipTokenizer.load(folder)).rejects.toMatchObject(refusal);
  });
});
