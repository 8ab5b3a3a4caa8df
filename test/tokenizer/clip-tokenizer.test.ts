import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClipTokenizer, type EncodedPrompt } from '../../lib/tokenizer/clip-tokenizer.js';
import { SMALL, tokenizerFolder } from './tokenizer-folder.js';
import { MERGES_TXT, merges, tokenizerJson, vocab } from './tokenizer-text.js';
import golden from './variants.json' with { type: 'json' };

const BOS = vocab['<|startoftext|>'];
const EOS = vocab['<|endoftext|>'];
const ROOM = 75;

const POOL =
  "the,dog,fox,!,?,'s,é,e\u0301,Σ,ς,7,<|,|>,<|endoftext|>,<|startoftext|>,<|ENDOFTEXT|>,あ,😀,\u0130".split(
    ',',
  );
const SPACES = [' ', '  ', '\t', '\n', '\r\n', '\u0085', '\u00a0', '\u2003', '\u3000'];

/** Any string: of words and special tokens, of any code points, and with halves of surrogate pairs. */
const anyPrompt = fc
  .array(
    fc.oneof(
      fc.constantFrom(...POOL, ...SPACES),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe.each(
  golden.variants.filter(({ name }) =>
    ['SD-Turbo', 'added_tokens_decoder', 'a concept', 'no config'].includes(name),
  ),
)('with $name, any prompt', (variant) => {
  const files = { ...SMALL, 'tokenizer_config.json': variant.config, 'special_tokens_map.json': variant.map };
  const load = () => ClipTokenizer.load(tokenizerFolder(files));

  it('becomes BOS, at most 75 ids, EOS and padding', async () => {
    const tokenizer = await load();
    const idCount = Object.keys(vocab).length + (variant.name === 'a concept' ? 1 : 0);
    fc.assert(
      fc.property(anyPrompt, (prompt) => {
        const { inputIds, tokens, truncated } = tokenizer.encode(prompt);
        const end = 1 + Math.min(tokens, ROOM);
        expect(inputIds).toHaveLength(77);
        expect(inputIds[0]).toBe(BOS);
        expect(inputIds[end]).toBe(EOS);
        expect(inputIds.slice(end + 1)).toEqual(new Int32Array(76 - end).fill(variant.pad));
        expect(truncated).toBe(Math.max(0, tokens - ROOM));
        expect(inputIds.every((id) => id >= 0 && id < idCount)).toBe(true);
        if (/<\|endoftext\|>/i.test(prompt)) return;
        expect(inputIds.slice(1, end)).not.toContain(EOS);
      }),
    );
  });

  it('gives the same again, also with another tokenizer of the same files', async () => {
    const [one, other] = await Promise.all([load(), load()]);
    fc.assert(
      fc.property(anyPrompt, (prompt) => {
        const first = one.encode(prompt);
        expect(one.encode(prompt)).toEqual(first);
        expect(other.encode(prompt)).toEqual(first);
      }),
    );
  });

  it('is not changed by how much white space of which kind parts its words', async () => {
    const tokenizer = await load();
    fc.assert(
      fc.property(anyPrompt, fc.constantFrom(...SPACES), (prompt, space) => {
        const collapsed = prompt.replace(/\p{White_Space}+/gu, ' ').trim();
        const spread = `${space}${prompt.replace(/\p{White_Space}/gu, space)}${space}`;
        expect(tokenizer.encode(collapsed)).toEqual(tokenizer.encode(prompt));
        expect(tokenizer.encode(spread)).toEqual(tokenizer.encode(prompt));
      }),
    );
  });

  it('of two parts has the ids of the first and then those of the second', async () => {
    const tokenizer = await load();
    const body = ({ inputIds, tokens }: EncodedPrompt) => [...inputIds.slice(1, 1 + Math.min(tokens, ROOM))];
    fc.assert(
      fc.property(anyPrompt, anyPrompt, (first, second) => {
        const [one, other, both] = [first, second, `${first} ${second}`].map((text) =>
          tokenizer.encode(text),
        );
        if (!one || !other || !both) throw new Error('three prompts, three results');
        expect(both.tokens).toBe(one.tokens + other.tokens);
        if (one.truncated > 0) expect(body(both)).toEqual(body(one));
        else expect(body(both)).toEqual([...body(one), ...body(other)].slice(0, ROOM));
      }),
    );
  });

  it('has U+FFFD for each half of a surrogate pair', async () => {
    const tokenizer = await load();
    fc.assert(
      fc.property(anyPrompt, (prompt) => {
        const wellFormed = prompt.replace(/\p{Surrogate}/gu, '\ufffd');
        expect(tokenizer.encode(prompt)).toEqual(tokenizer.encode(wellFormed));
      }),
    );
  });

  it('in English is the same in upper case', async () => {
    const tokenizer = await load();
    const english = fc
      .string({ unit: 'grapheme-ascii', maxLength: 100 })
      .map((text) => text.replaceAll('<', ''));
    fc.assert(
      fc.property(english, (prompt) => {
        expect(tokenizer.encode(prompt.toUpperCase())).toEqual(tokenizer.encode(prompt));
      }),
    );
  });
});

describe('a long prompt', () => {
  const load = () => ClipTokenizer.load(tokenizerFolder(SMALL));

  it('of 100,000 characters is counted in full', async () => {
    const tokenizer = await load();
    expect(tokenizer.encode('fox '.repeat(25_000))).toMatchObject({ tokens: 25_000, truncated: 24_925 });
    // One word: 99,999 a, that is 24,999 aaaa, one aa and one a; then a</w>.
    expect(tokenizer.encode('a'.repeat(100_000))).toMatchObject({ tokens: 25_002, truncated: 24_927 });
  });

  it.each([
    ['131,072 characters', ' ', 131_072],
    ['4,096 combining marks in a row', '\u0323', 4096],
  ])('is refused beyond %s', async (_, text, most) => {
    const tokenizer = await load();
    expect(tokenizer.encode(text.repeat(most)).inputIds).toHaveLength(77);
    expect(() => tokenizer.encode(text.repeat(most + 1))).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/^prompt: \d+ .+ at most/),
      }),
    );
    expect(() => tokenizer.encode(text.repeat(2_000_000))).toThrow(/^prompt: 2000000 characters/);
  });
});

describe('the files of a tokenizer', () => {
  const config = (content: unknown) => tokenizerFolder({ ...SMALL, 'tokenizer_config.json': content });

  it.each([
    ['model_max_length null', { model_max_length: null, pad_token: null }, 77],
    ['an absurd model_max_length', { model_max_length: 1e30 }, 77],
    ['a model_max_length of 5', { model_max_length: 5 }, 5],
  ])('may have %s', async (_, content, length) => {
    const tokenizer = await ClipTokenizer.load(config(content));
    expect(tokenizer.maxLength).toBe(length);
    const { inputIds, ...counts } = tokenizer.encode('the fox the fox');
    const [the, fox] = [vocab['the</w>'], vocab['fox</w>']];
    const start = [BOS, the, fox, the, fox, EOS].slice(0, length - 1);
    expect([...inputIds]).toEqual([...start, ...Array(length - start.length).fill(EOS)]);
    expect(counts).toEqual({ tokens: 4, truncated: length === 5 ? 1 : 0 });
  });

  it('may have a byte order mark, Windows line ends and no version line', async () => {
    const written = { 'vocab.json': `\ufeff${JSON.stringify(vocab)}`, 'merges.txt': merges.join('\r\n') };
    const [one, other] = await Promise.all(
      [tokenizerFolder(written), tokenizerFolder(SMALL)].map(ClipTokenizer.load),
    );
    expect(one?.encode('the fox, 2 dogs!')).toEqual(other?.encode('the fox, 2 dogs!'));
  });

  it('may lack a symbol, which is then the unknown token', async () => {
    const files = { 'vocab.json': { ...vocab, 'z</w>': undefined }, 'merges.txt': MERGES_TXT };
    const folder = tokenizerFolder({ ...files, 'tokenizer_config.json': { unk_token: '?' } });
    const { inputIds } = (await ClipTokenizer.load(folder)).encode('az the');
    // transformers 5.23 gives 538 64 30 514 539
    expect([...inputIds.slice(0, 5)]).toEqual([BOS, vocab['a'], vocab['?'], vocab['the</w>'], EOS]);
  });

  const token = (content: string, more: object = {}) => ({
    content,
    normalized: false,
    special: true,
    ...more,
  });
  const decoder = (tokens: object) => ({ 'tokenizer_config.json': { added_tokens_decoder: tokens } });
  const vocabOf = (changes: object) => ({ 'vocab.json': { ...vocab, ...changes } });
  const mergesOf = (line: string) => ({ 'merges.txt': MERGES_TXT + line });
  const only = (content: unknown) => ({
    'vocab.json': null,
    'merges.txt': null,
    'tokenizer.json': content,
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      'neither vocabulary',
      only(null),
      /tokenizer-\w+ holds neither tokenizer.json nor vocab.json and merges.txt$/,
    ],
    ['vocab.json alone', { 'merges.txt': null }, /holds neither/],
    [
      'too long a vocab.json',
      { 'vocab.json': ' '.repeat(2 ** 22 + 1) },
      /vocab.json has 4194305 bytes, at most/,
    ],
    ['too long a merges.txt', { 'merges.txt': ' '.repeat(2 ** 22 + 1) }, /merges.txt has 4194305 bytes/],
    [
      'too long a config',
      { 'tokenizer_config.json': ' '.repeat(2 ** 20 + 1) },
      /_config.json has 1048577 bytes/,
    ],
    ['too long a map', { 'special_tokens_map.json': ' '.repeat(2 ** 20 + 1) }, /_map.json has 1048577 bytes/],
    ['too long a tokenizer.json', only(' '.repeat(2 ** 24 + 1)), /tokenizer.json has 16777217 bytes/],
    [
      'a Git LFS pointer',
      { 'merges.txt': 'version https://git-lfs.github.com/spec/v1\n' },
      /merges.txt is a Git LFS/,
    ],
    ['half a vocab.json', { 'vocab.json': '{"a": 0,' }, /vocab.json is not JSON: it ends too early$/],
    ['bytes that are not UTF-8', { 'merges.txt': Uint8Array.of(0x69, 0x20, 0xff) }, /merges.txt .* UTF-8$/],
    ['a list of tokens', { 'vocab.json': ['a'] }, /vocab.json: Invalid input/],
    ['an id that is a string', vocabOf({ x: '1' }), /vocab.json: "x": /],
    ['an id below 0', vocabOf({ x: -1 }), /vocab.json: "x": /],
    ['half an id', vocabOf({ x: 0.5 }), /vocab.json: "x": /],
    ['an endless id', vocabOf({ x: 2 ** 20 }), /vocab.json: "x": /],
    ['an id twice', vocabOf({ x: 600, y: 600 }), /vocab.json: two tokens have the same id/],
    ['an empty token', vocabOf({ '': 600 }), /vocab.json: /],
    ['a token that breaks the line', vocabOf({ 'a\nb': -1 }), /vocab.json: "a\\nb": /],
    [
      'no BOS',
      vocabOf({ '<|startoftext|>': undefined }),
      /"<\|startoftext\|>" is not in the vocabulary, and the next id 539 is taken$/,
    ],
    ['a merge of three', mergesOf('i n g'), /merges.txt: merge "i n g" is not two symbols$/],
    ['a merge of one', mergesOf('i '), /merges.txt: merge "i " is not two symbols$/],
    ['a merge of an unknown symbol', mergesOf('th x'), /merges.txt: merge "th x": "thx" is not in the vocab/],
    ['a merge with constructor', mergesOf('constructor x'), /"constructor" is not in the vocabulary$/],
    ['another model', only({ model: { type: 'Unigram' } }), /tokenizer.json: "model.type": /],
    ['no model', only({}), /tokenizer.json: "model": /],
    ['merges of three', only(tokenizerJson([], [['a', 'b', 'c']])), /tokenizer.json: "model.merges.0": /],
    ['an added token without id', only(tokenizerJson([token('!')])), /tokenizer.json: "added_tokens.0.id": /],
    [
      'an added token with a wrong id',
      only(tokenizerJson([token('!', { id: 7 })])),
      /tokenizer.json: added token "!" has the id 7, but 0 in transformers$/,
    ],
    ['a number for pad_token', { 'tokenizer_config.json': { pad_token: 0 } }, /_config.json: "pad_token": /],
    ['no room', { 'tokenizer_config.json': { model_max_length: 1 } }, /_config.json: "model_max_length": /],
    ['half a position', { 'tokenizer_config.json': { model_max_length: 7.5 } }, /length": must be whole$/],
    ['an id that is a word', decoder({ one: token('!') }), /_config.json: "added_tokens_decoder.one": /],
    [
      'an id of another token',
      decoder({ 5: token('<p>') }),
      /_config.json: added token "<p>" has the id 5, but 540 in transformers$/,
    ],
    ['a token that strips', decoder({ 0: token('!', { lstrip: true }) }), /lstrip": is not supported/],
    ['endless content', decoder({ 600: token('x'.repeat(257)) }), /decoder.600.content": /],
    [
      'endless added tokens',
      decoder(Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [600 + i, token(`<${i}>`)]))),
      /tokenizer-\w+: 1025 added tokens, at most 1024/,
    ],
  ])('with %s are refused', async (_, files, message) => {
    const folder = tokenizerFolder({ ...SMALL, ...files });
    const refusal = await ClipTokenizer.load(folder).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) });
    expect((refusal as Error).message).not.toMatch(/\n/);
  });

  it('are refused where one of them is a directory', async () => {
    const folder = tokenizerFolder({ 'merges.txt': MERGES_TXT });
    mkdirSync(join(folder, 'vocab.json'));
    const message = `${join(folder, 'vocab.json')} is not a file`;
    await expect(ClipTokenizer.load(folder)).rejects.toMatchObject({ code: 'INVALID_FILE', message });
  });
});
