import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import {
  type AddedToken,
  addedToken,
  addedTokenSchema,
  MAX_ADDED_TOKENS,
  MAX_TOKEN_ID,
} from './added-token.js';
import { quote } from './quote.js';
import { readJsonFile } from './read-json-file.js';
import type { Vocabulary } from './read-vocabulary.js';
import type { TokenizerFiles } from './tokenizer-files.js';

const CONFIG = 'tokenizer_config.json';

/** 1 MiB: both files have about 1 kB, and a hundred bytes more for every added token. */
const MAX_BYTES = 1024 * 1024;

/** Positions of the family's text encoders, and so the default. */
const CLIP_LENGTH = 77;

/** transformers writes 1e30 for "unknown"; no CLIP text encoder has more positions than this. */
const MAX_LENGTH = 1024;

export interface SpecialTokens {
  readonly maxLength: number;
  readonly bos: AddedToken;
  readonly eos: AddedToken;
  readonly unk: AddedToken;
  readonly pad: AddedToken;
  /** The four above and whatever else the files declare; every content and every id once. */
  readonly added: readonly AddedToken[];
}

/** CLIPTokenizer's own, for files that are absent or say less (transformers 5.23). */
const DEFAULTS = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
};

type Role = keyof typeof DEFAULTS;
type Named = Readonly<Record<Role, { readonly content: string; readonly normalized?: boolean | undefined }>>;

const tokenSchema = z
  .union([
    z
      .string()
      .min(1)
      .transform((content) => ({ content })),
    addedTokenSchema,
  ])
  .nullish();
const mapSchema = z.object({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  unk_token: tokenSchema,
  pad_token: tokenSchema,
});
const configSchema = mapSchema.extend({
  model_max_length: z
    .number()
    .min(2)
    .refine((length) => Number.isInteger(length), 'must be whole')
    .nullish(),
  added_tokens_decoder: z
    .record(
      z.string().refine((id) => /^\d{1,7}$/.test(id) && Number(id) <= MAX_TOKEN_ID, 'must be an id'),
      addedTokenSchema,
    )
    .nullish(),
});

/**
 * What tokenizer_config.json and special_tokens_map.json of a checkpoint's `tokenizer/` directory say; both
 * may be absent. As in transformers 5: `added_tokens_decoder` decides alone where it is there; else the map
 * overrules the config, and tokenizer.json declares the added tokens.
 *
 * @throws AppError INVALID_FILE when one of the files is damaged, or names a token that has no id
 */
export async function readSpecialTokens(
  files: TokenizerFiles,
  vocabulary: Vocabulary,
): Promise<SpecialTokens> {
  const [config, map] = await Promise.all([
    readJsonFile(files, CONFIG, MAX_BYTES, configSchema),
    readJsonFile(files, 'special_tokens_map.json', MAX_BYTES, mapSchema),
  ]);
  const decoder = config?.added_tokens_decoder;
  const declared = decoder
    ? Object.entries(decoder).map(([id, token]) => addedToken(Number(id), token))
    : vocabulary.addedTokens;
  checkDeclared(declared, vocabulary, decoder ? `${files.folder}/${CONFIG}` : vocabulary.source);

  const name = (role: Role) =>
    (decoder ? undefined : map?.[role]) ?? config?.[role] ?? { content: DEFAULTS[role] };
  const named: Named = {
    bos_token: name('bos_token'),
    eos_token: name('eos_token'),
    unk_token: name('unk_token'),
    pad_token: name('pad_token'),
  };
  const tokens = collect(declared, named, vocabulary);
  const token = (role: Role) => tokens.get(named[role].content) as AddedToken;
  return {
    maxLength: boundedLength(config?.model_max_length),
    bos: token('bos_token'),
    eos: token('eos_token'),
    unk: token('unk_token'),
    pad: token('pad_token'),
    added: [...tokens.values()],
  };
}

/** By content. Where two roles share one, the later role says how it is looked for, as in transformers. */
function collect(
  declared: readonly AddedToken[],
  named: Named,
  { ids, source }: Vocabulary,
): Map<string, AddedToken> {
  const tokens = new Map(declared.map((token) => [token.content, token]));
  const undeclared = Object.entries(named).filter(([, { content }]) => !tokens.has(content));
  for (const [role, { content, normalized = false }] of undeclared) {
    const id = Object.hasOwn(ids, content) ? ids[content] : undefined;
    if (id === undefined) {
      throw new AppError(
        'INVALID_FILE',
        `${source}: ${quote(content)}, the ${role}, is not in the vocabulary`,
      );
    }
    tokens.set(content, { content, id, normalized });
  }
  return tokens;
}

/** An added token has the id that the vocabulary gives it, or one that no other token has. */
function checkDeclared(declared: readonly AddedToken[], { ids }: Vocabulary, path: string): void {
  if (declared.length > MAX_ADDED_TOKENS) {
    const message = `${path}: ${declared.length} added tokens, at most ${MAX_ADDED_TOKENS} are read`;
    throw new AppError('INVALID_FILE', message);
  }
  const taken = new Set(Object.values(ids));
  for (const { content, id } of declared) {
    if (Object.hasOwn(ids, content) ? ids[content] !== id : taken.has(id)) {
      throw new AppError('INVALID_FILE', `${path}: added token ${quote(content)} cannot have the id ${id}`);
    }
    taken.add(id);
  }
}

function boundedLength(length: number | null | undefined): number {
  return length == null || length > MAX_LENGTH ? CLIP_LENGTH : length;
}
