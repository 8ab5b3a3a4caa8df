import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import { isJsonObject } from '../weights/bytes/parse-json.js';
import {
  type DeclaredToken,
  declaredToken,
  declaredTokenSchema,
  MAX_ADDED_TOKENS,
  MAX_TOKEN_ID,
  tokenObjectSchema,
} from './added-token.js';
import { quote } from './quote.js';
import { readJsonFile } from './read-json-file.js';
import type { TokenizerFiles } from './tokenizer-files.js';

const CONFIG = 'tokenizer_config.json';
const MAP = 'special_tokens_map.json';

/** 1 MiB: both files have about 1 kB, and a hundred bytes more for every added token. */
const MAX_BYTES = 1024 * 1024;

/** The roles that transformers knows, in its order. Those that CLIP has no use for are looked for in text too. */
export const ROLES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type Role = (typeof ROLES)[number];

const refused = (what: string) => z.undefined(`is not supported: ${what}`).optional();

const lengthSchema = z
  .number()
  .min(2)
  .refine((length) => Number.isInteger(length), 'must be whole')
  .nullish();

const plainTokenSchema = declaredTokenSchema(false);

/** transformers puts every key of both files into one dictionary. */
function settingsSchema(special: boolean) {
  const token = declaredTokenSchema(special);
  return z.looseObject({
    bos_token: token.nullish(),
    eos_token: token.nullish(),
    unk_token: token.nullish(),
    sep_token: token.nullish(),
    pad_token: token.nullish(),
    cls_token: token.nullish(),
    mask_token: token.nullish(),
    extra_special_tokens: z
      .union([z.array(token).max(MAX_ADDED_TOKENS), z.record(z.string(), plainTokenSchema)])
      .nullish(),
    additional_special_tokens: z.array(plainTokenSchema).max(MAX_ADDED_TOKENS).nullish(),
    model_specific_special_tokens: z.record(z.string(), plainTokenSchema).optional(),
    model_max_length: lengthSchema,
    max_len: lengthSchema,
    padding_side: z.string().optional(),
    truncation_side: z.string().optional(),
    split_special_tokens: z.literal(false, 'is not supported, only false').optional(),
    vocab: refused('the vocabulary stands in a file of its own'),
    merges: refused('the merges stand in a file of their own'),
    init_inputs: z.array(z.unknown()).max(0, 'is not supported, only []').optional(),
    fast_tokenizer_files: z
      .array(z.string().refine((name) => !/tokenizer\..*\.json/.test(name), 'is not supported'))
      .optional(),
  });
}
const mapSchema = settingsSchema(true);
const configSchema = settingsSchema(false).extend({
  added_tokens_decoder: z
    .record(
      z.string().refine((id) => /^\d{1,7}$/.test(id) && Number(id) <= MAX_TOKEN_ID, 'must be an id'),
      tokenObjectSchema,
    )
    .optional(),
});

/** One of the two files. */
export type RawSettings = Partial<z.infer<typeof mapSchema>> & {
  /** Tokens under names of the model's own, `image_token`. */
  readonly own: Readonly<Record<string, DeclaredToken>>;
};

export interface SettingsFiles {
  readonly config: RawSettings;
  /** Says nothing where the config has `added_tokens_decoder`. */
  readonly map: RawSettings;
  /** `added_tokens_decoder`; where it is there, it alone says which token has which id. */
  readonly decoder: readonly DeclaredToken[] | undefined;
}

/**
 * tokenizer_config.json and special_tokens_map.json of a checkpoint's `tokenizer/` directory; both may be absent.
 *
 * @throws AppError INVALID_FILE when one of them is damaged, or asks for what is not supported
 */
export async function readSettings(files: TokenizerFiles): Promise<SettingsFiles> {
  const read = (await readJsonFile(files, CONFIG, MAX_BYTES, configSchema)) ?? {};
  const { added_tokens_decoder: byId, ...config } = read as Partial<z.infer<typeof configSchema>>;
  const map = (await readJsonFile(files, MAP, MAX_BYTES, mapSchema)) ?? {};
  return {
    config: { ...config, own: ownTokens(config, false, `${files.folder}/${CONFIG}`) },
    map: byId ? { own: {} } : { ...map, own: ownTokens(map, true, `${files.folder}/${MAP}`) },
    decoder:
      byId &&
      Object.entries(byId).map(([id, token]) => declaredToken(token, { id: Number(id), file: CONFIG })),
  };
}

function ownTokens(settings: object, special: boolean, path: string): Record<string, DeclaredToken> {
  const own: Record<string, DeclaredToken> = {};
  for (const [key, value] of Object.entries(settings)) {
    const isToken = typeof value === 'string' || (isJsonObject(value) && 'content' in value);
    if (!key.endsWith('_token') || (ROLES as readonly string[]).includes(key) || !isToken) continue;
    const { data, error } = declaredTokenSchema(special).safeParse(value);
    if (!data) throw new AppError('INVALID_FILE', `${path}: ${quote(key)}: ${error.issues[0]?.message}`);
    own[key] = data;
  }
  return own;
}
