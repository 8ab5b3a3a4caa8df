/**
 * What we use of `@huggingface/tokenizers` 0.2.0. Its own declarations import each other without file
 * extensions, which TypeScript does not resolve for an ES module (`nodenext`).
 */
declare module '@huggingface/tokenizers' {
  export class BPE {
    constructor(config: {
      readonly type: 'BPE';
      readonly vocab: Readonly<Record<string, number>>;
      /** First the ones that are applied first. */
      readonly merges: readonly (readonly [string, string])[];
      /** Added to the last symbol of every word. */
      readonly end_of_word_suffix: string;
      /** Stands for a symbol that is not in the vocabulary. */
      readonly unk_token: string;
      readonly ignore_merges: boolean;
    });
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    /** Words to the tokens of all of them. */
    encode(words: readonly string[]): string[];
  }

  export class ByteLevelPreTokenizer {
    constructor(config: { readonly type: 'ByteLevel'; readonly use_regex: boolean });
    /** UTF-8 bytes, each as the printable character that stands for it; one string where `use_regex` is false. */
    pre_tokenize_text(text: string): string[];
  }
}
