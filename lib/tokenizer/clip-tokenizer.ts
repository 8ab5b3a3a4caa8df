import { BPE, ByteLevelPreTokenizer } from '@huggingface/tokenizers';
import { AppError } from '../errors/app-error.js';
import { DirectoryFiles } from './directory-files.js';
import { type Concept, expandConcept, expandedLength, findConcepts } from './expand-concepts.js';
import { readSpecialTokens, type SpecialTokens } from './read-special-tokens.js';
import { END_OF_WORD, readVocabulary, type Vocabulary } from './read-vocabulary.js';
import { normalise, splitWords } from './split-words.js';
import { TokenMatcher } from './token-matcher.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/** 128 Ki UTF-16 units, sixty times what our API takes; one unbroken word of it takes about a second. */
const MAX_PROMPT_LENGTH = 128 * 1024;

/** Putting combining marks in order (NFC) takes time in the square of their number; no script stacks fifty. */
const MAX_COMBINING_MARKS = 4096;

export interface EncodedPrompt {
  /** Shape [maxLength]: BOS, at most maxLength - 2 tokens, EOS, padding. */
  readonly inputIds: Int32Array;
  /** Tokens of the prompt without BOS and EOS, before cutting. */
  readonly tokens: number;
  /** How many of them were cut. */
  readonly truncated: number;
}

/**
 * CLIP's tokenizer with the ids of transformers' CLIPTokenizer (5.23). Bytes and merges are
 * `@huggingface/tokenizers`'; the text around them is split here, because that package takes `<|ENDOFTEXT|>`
 * for the special token, a final sigma for another letter, and U+FEFF for white space.
 */
export class ClipTokenizer {
  /** `model_max_length` of tokenizer_config.json, 77 for the family. */
  readonly maxLength: number;
  /** The token with the largest id. */
  readonly largest: { readonly content: string; readonly id: number };
  readonly #special: SpecialTokens;
  readonly #concepts: ReadonlyMap<number, Concept>;
  readonly #bpe: BPE;
  readonly #byteLevel = new ByteLevelPreTokenizer({ type: 'ByteLevel', use_regex: false });
  readonly #written: TokenMatcher;
  readonly #normalised: TokenMatcher;

  private constructor(vocabulary: Vocabulary, special: SpecialTokens) {
    this.maxLength = special.maxLength;
    this.largest = largestToken(vocabulary, special);
    this.#special = special;
    this.#concepts = findConcepts(special.added);
    this.#bpe = new BPE({
      type: 'BPE',
      vocab: vocabulary.ids,
      merges: vocabulary.merges,
      end_of_word_suffix: END_OF_WORD,
      unk_token: special.unk.content,
      ignore_merges: false,
    });
    const ids = (normalized: boolean, textOf: (content: string) => string) =>
      special.added
        .filter((token) => token.normalized === normalized)
        .map(({ content, id }) => [textOf(content), id] as const);
    this.#written = new TokenMatcher(ids(false, (content) => content));
    this.#normalised = new TokenMatcher(ids(true, normalise));
  }

  /**
   * @param from a checkpoint's `tokenizer/` directory: tokenizer.json, or else vocab.json and merges.txt;
   * tokenizer_config.json, special_tokens_map.json and added_tokens.json may be absent
   * @throws AppError INVALID_FILE, which names the file
   */
  static async load(from: string | TokenizerFiles): Promise<ClipTokenizer> {
    const files = typeof from === 'string' ? new DirectoryFiles(from) : from;
    const vocabulary = await readVocabulary(files);
    return new ClipTokenizer(vocabulary, await readSpecialTokens(files, vocabulary));
  }

  /**
   * The prompt with every vector of its concepts, as pipelines of diffusers 0.42 write it before they encode it
   * (`TextualInversionLoaderMixin.maybe_convert_prompt`).
   *
   * @throws AppError INVALID_INPUT as `encode`, for the prompt or for what it becomes
   */
  expandConcepts(prompt: string): string {
    if (this.#concepts.size === 0) return prompt;
    refuseEndless(prompt);
    let expanded = prompt;
    for (const id of new Set(this.#ids(prompt))) {
      const concept = this.#concepts.get(id);
      if (concept === undefined) continue;
      refuseLength(expandedLength(expanded, concept));
      expanded = expandConcept(expanded, concept);
    }
    return expanded;
  }

  /**
   * @throws AppError INVALID_INPUT for a prompt of more than 131,072 UTF-16 units, or with more than 4,096
   * of combining marks in a row
   */
  encode(prompt: string): EncodedPrompt {
    refuseEndless(prompt);
    const { bos, eos, pad } = this.#special;
    const room = this.maxLength - 2;
    const inputIds = new Int32Array(this.maxLength).fill(pad.id);
    inputIds[0] = bos.id;
    let tokens = 0;
    for (const id of this.#ids(prompt)) {
      if (tokens < room) inputIds[1 + tokens] = id;
      tokens += 1;
    }
    inputIds[1 + Math.min(tokens, room)] = eos.id;
    return { inputIds, tokens, truncated: Math.max(0, tokens - room) };
  }

  *#ids(prompt: string): Generator<number> {
    for (const section of this.#written.split(prompt)) {
      if (typeof section === 'number') yield section;
      else yield* this.#sectionIds(normalise(section));
    }
  }

  *#sectionIds(normalised: string): Generator<number> {
    for (const section of this.#normalised.split(normalised)) {
      if (typeof section === 'number') yield section;
      else for (const word of splitWords(section)) yield* this.#wordIds(word);
    }
  }

  *#wordIds(word: string): Generator<number> {
    for (const token of this.#bpe.encode(this.#byteLevel.pre_tokenize_text(word))) {
      yield this.#bpe.tokens_to_ids.get(token) ?? this.#special.unk.id;
    }
  }
}

function largestToken({ ids }: Vocabulary, { added }: SpecialTokens): { content: string; id: number } {
  let largest = { content: '', id: -1 };
  for (const [content, id] of Object.entries(ids)) if (id > largest.id) largest = { content, id };
  for (const { content, id } of added) if (id >= largest.id) largest = { content, id };
  return largest;
}

/** Beyond these bounds encoding would hold up everything else on its thread. */
function refuseEndless(prompt: string): void {
  refuseLength(prompt.length);
  for (const [marks] of prompt.matchAll(/\p{M}+/gu)) {
    if (marks.length <= MAX_COMBINING_MARKS) continue;
    const message = `prompt: ${marks.length} combining marks in a row, at most ${MAX_COMBINING_MARKS} are taken`;
    throw new AppError('INVALID_INPUT', message);
  }
}

function refuseLength(length: number): void {
  if (length <= MAX_PROMPT_LENGTH) return;
  const message = `prompt: ${length} characters, at most ${MAX_PROMPT_LENGTH} are taken`;
  throw new AppError('INVALID_INPUT', message);
}
