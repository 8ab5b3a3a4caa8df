import { expect, it } from 'vitest';
import { ClipTokenizer } from '../../lib/tokenizer/clip-tokenizer.js';
import { SMALL, tokenizerFolder } from './tokenizer-folder.js';

const CONCEPTS = { '<cat>': 540, '<cat>_1': 541, '<cat>_2': 542, '<dog>': 543, '<dog>_2': 544 };
const load = (added: object) => ClipTokenizer.load(tokenizerFolder({ ...SMALL, 'added_tokens.json': added }));

// TextualInversionLoaderMixin().maybe_convert_prompt(prompt, tokenizer) of diffusers 0.42.1, transformers 5.23.
it.each<[string, string, number[]]>([
  ['the fox', 'the fox', [514, 519]],
  ['a <cat>', 'a <cat> <cat>_1 <cat>_2', [320, 540, 541, 542]],
  ['<cat> and <CAT>', '<cat> <cat>_1 <cat>_2 and <CAT>', [540, 541, 542, 515, 323, 540]],
  ['the <CAT>', 'the <CAT>', [514, 540]],
  ['<cat>_1 fox', '<cat>_1 fox', [541, 519]],
  ['<cat><cat>', '<cat> <cat>_1 <cat>_2<cat> <cat>_1 <cat>_2', [540, 541, 542, 540, 541, 542]],
  ['<dog> <cat>_2', '<dog> <cat>_2', [543, 542]],
  ['$& <cat>', '$& <cat> <cat>_1 <cat>_2', [3, 261, 540, 541, 542]],
])('%s becomes %s, as in diffusers', async (prompt, expanded, ids) => {
  const tokenizer = await load(CONCEPTS);
  expect(tokenizer.expandConcepts(prompt)).toBe(expanded);
  const { inputIds, tokens } = tokenizer.encode(expanded);
  expect([...inputIds.slice(1, 1 + tokens)]).toEqual(ids);
});

it('is refused where a prompt would become endless', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [i === 0 ? '<x>' : `<x>_${i}`, 540 + i]),
  );
  const tokenizer = await load(many);
  expect(tokenizer.expandConcepts('<x>')).toHaveLength(7887);
  expect(() => tokenizer.expandConcepts('<x> '.repeat(1000))).toThrow(
    expect.objectContaining({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^prompt: \d+ characters/),
    }),
  );
});
