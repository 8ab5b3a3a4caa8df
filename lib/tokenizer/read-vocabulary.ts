import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { type DeclaredToken, declaredToken, tokenIdSchema, tokenObjectSchema } from './added-token.js';
import { quote } from './quote.js';
import { readJsonFile } from './read-json-file.js';
import { readTextFile } from './read-text-file.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/** 4 MiB each for vocab.json and merges.txt: CLIP's have 1 and 0.5 MB. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;

/** 16 MiB: CLIP's tokenizer.json has 2 to 4 MB. */
const MAX_TOKENIZER_BYTES = 16 * 1024 * 1024;

const TOKENIZER = 'tokenizer.json';

export const END_OF_WORD = '</w>';

export type Merge = readonly [left: string, right: string];

export interface Vocabulary {
  /** The file that `ids` come from, for messages. */
  readonly source: string;
  readonly ids: Record<string, number>;
  /** First the ones that are applied first. */
  readonly merges: readonly Merge[];
  /** What tokenizer.json declares; empty for vocab.json. */
  readonly addedTokens: readonly DeclaredToken[];
  /** Which end tokenizer.json fills up or cuts, where it says so. */
  readonly padding?: string | undefined;
  readonly truncation?: string | undefined;
}

/** What transformers takes for a vocabulary where there is no tokenizer.json, whatever else there is. */
const OTHER_VOCABULARIES = ['tekken.json', 'tokenizer.model', 'tiktoken.model'];

const idsSchema = z
  .record(z.string().min(1), tokenIdSchema)
  .refine(
    (ids) => new Set(Object.values(ids)).size === Object.keys(ids).length,
    'two tokens have the same id',
  );

const directionSchema = z.looseObject({ direction: z.string().optional() }).nullish();

/**
 * Normalizer, pre-tokenizer and post-processor are not read: like transformers 5 this takes a CLIP tokenizer's
 * words from such a file and splits text in CLIP's way. (A regular expression of an untrusted file could also
 * hang us.) Old files do not say which model they have.
 */
const tokenizerSchema = z.object({
  added_tokens: z.array(tokenObjectSchema.extend({ id: tokenIdSchema })).default([]),
  padding: directionSchema,
  truncation: directionSchema,
  model: z.object({
    type: z.literal('BPE').optional(),
    end_of_word_suffix: z.literal(END_OF_WORD),
    vocab: idsSchema,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/**
 * The vocabulary of a checkpoint's `tokenizer/` directory: its tokenizer.json, as in transformers 5, or else its
 * vocab.json and merges.txt.
 *
 * @throws AppError INVALID_FILE when neither is there, or one says what it may not say
 */
export async function readVocabulary(files: TokenizerFiles): Promise<Vocabulary> {
  const { folder } = files;
  const tokenizer = await readJsonFile(files, TOKENIZER, MAX_TOKENIZER_BYTES, tokenizerSchema);
  if (tokenizer !== undefined) {
    const { vocab, merges } = tokenizer.model;
    const source = `${folder}/${TOKENIZER}`;
    return {
      source,
      ids: vocab,
      merges: parseMerges(merges, vocab, source),
      addedTokens: tokenizer.added_tokens.map((token) =>
        declaredToken(token, { id: token.id, file: TOKENIZER }),
      ),
      padding: tokenizer.padding?.direction,
      truncation: tokenizer.truncation?.direction,
    };
  }
  for (const name of OTHER_VOCABULARIES) {
    if ((await files.read(name, MAX_TOKENIZER_BYTES)) === undefined) continue;
    throw new AppError('INVALID_FILE', `${folder}/${name} is a vocabulary of another kind than CLIP's`);
  }
  const [ids, lines] = await Promise.all([
    readJsonFile(files, 'vocab.json', MAX_LIST_BYTES, idsSchema),
    readTextFile(files, 'merges.txt', MAX_LIST_BYTES),
  ]);
  if (ids === undefined || lines === undefined) {
    throw new AppError(
      'INVALID_FILE',
      `${folder} holds neither tokenizer.json nor vocab.json and merges.txt`,
    );
  }
  const words = lines.split(/\r?\n/).filter((line) => !line.startsWith('#version'));
  const merges = parseMerges(words, ids, `${folder}/merges.txt`);
  return { source: `${folder}/vocab.json`, ids, merges, addedTokens: [] };
}

/** A merge of symbols that have no id could only lead to the unknown token, so it marks a damaged file. */
function parseMerges(
  merges: readonly (string | Merge)[],
  ids: Record<string, number>,
  path: string,
): Merge[] {
  const parsed: Merge[] = [];
  for (const merge of merges) {
    if (merge === '') continue;
    const symbols = typeof merge === 'string' ? merge.split(' ') : merge;
    const [left, right] = symbols;
    if (!left || !right || symbols.length > 2) {
      throw new AppError('INVALID_FILE', `${path}: merge ${quote(symbols.join(' '))} is not two symbols`);
    }
    const unknown = [left, right, left + right].find((symbol) => !Object.hasOwn(ids, symbol));
    if (unknown !== undefined) {
      const message = `${path}: merge ${quote(symbols.join(' '))}: ${quote(unknown)} is not in the vocabulary`;
      throw new AppError('INVALID_FILE', message);
    }
    parsed.push([left, right]);
  }
  return parsed;
}
