import variants from './variants.json' with { type: 'json' };

export const { vocab, merges } = variants;
export const MERGES_TXT = `#version: 0.2\n${merges.join('\n')}\n`;

/** As transformers 4 wrote it: merges are strings. */
export function tokenizerJson(addedTokens: unknown, mergesOf: unknown = merges): unknown {
  return {
    version: '1.0',
    added_tokens: addedTokens,
    model: { type: 'BPE', unk_token: '<|endoftext|>', end_of_word_suffix: '</w>', vocab, merges: mergesOf },
  };
}
