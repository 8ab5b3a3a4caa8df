import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import {
  type AddedToken,
  type DeclaredToken,
  isNormalized,
  MAX_ADDED_TOKENS,
  textToken,
  tokenIdSchema,
} from './added-token.js';
import { combineSettings, isSame, type Settings } from './combine-settings.js';
import { quote } from './quote.js';
import { readJsonFile } from './read-json-file.js';
import { ROLES, type Role, readSettings } from './read-settings.js';
import type { Vocabulary } from './read-vocabulary.js';
import { normalise } from './split-words.js';
import type { TokenizerFiles } from './tokenizer-files.js';

const ADDED_TOKENS = 'added_tokens.json';

/** 1 MiB: a token takes some twenty bytes. */
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
const DEFAULTS: Readonly<Partial<Record<Role, string>>> = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
};

const addedTokensSchema = z.record(z.string().min(1), tokenIdSchema);

/**
 * The tokens of a checkpoint's `tokenizer/` directory that are found in the text itself, as in transformers 5.23:
 * `added_tokens_decoder` of tokenizer_config.json decides alone where it is there; else added_tokens.json and
 * tokenizer.json say which there are. Those that special_tokens_map.json and the config name besides follow.
 *
 * @throws AppError INVALID_FILE when a file is damaged, or numbers a token otherwise than transformers would
 */
export async function readSpecialTokens(
  files: TokenizerFiles,
  vocabulary: Vocabulary,
): Promise<SpecialTokens> {
  const raw = await readSettings(files);
  const settings = combineSettings(raw);
  refuseLeft('padding_side', settings.paddingSide ?? vocabulary.padding, files);
  refuseLeft('truncation_side', settings.truncationSide ?? vocabulary.truncation, files);
  refuseNull(settings, files);
  const numbered = raw.decoder ?? (await readNumbered(files, vocabulary, settings));
  const named = {} as Record<Role, DeclaredToken>;
  for (const role of ROLES) {
    const content = DEFAULTS[role];
    const token = settings.roles[role] ?? (content === undefined ? undefined : textToken(content));
    if (token) named[role] = token;
  }
  const roles = [...Object.values(named), ...settings.named];
  const isRole = new Set(roles.map(({ content }) => content));
  const others = [...roles, ...settings.extra];
  refuseMany(Math.max(numbered.length, others.length), files);
  // Whatever has a role is special.
  const list = listTokens(numbered, others).map((token) =>
    isRole.has(token.content) ? { ...token, special: true } : token,
  );
  refuseMany(list.length, files);
  const added = numberTokens(list, vocabulary, files.folder);
  const token = (role: Role) => added.get(named[role].content) as AddedToken;
  return {
    maxLength: boundedLength(settings.maxLength),
    bos: token('bos_token'),
    eos: token('eos_token'),
    unk: token('unk_token'),
    pad: token('pad_token'),
    added: [...added.values()],
  };
}

/** Those of added_tokens.json and of tokenizer.json, which may both be there. */
async function readNumbered(
  files: TokenizerFiles,
  { addedTokens }: Vocabulary,
  { special }: Settings,
): Promise<DeclaredToken[]> {
  const ids = (await readJsonFile(files, ADDED_TOKENS, MAX_BYTES, addedTokensSchema)) ?? {};
  const byId = new Map(addedTokens.map((token) => [token.id, token]));
  const legacy: DeclaredToken[] = [];
  for (const [content, id] of Object.entries(ids)) {
    const other = byId.get(id);
    if (other !== undefined && other.content !== content) {
      const message = `added token ${quote(content)} has the id ${id}, but that is ${quote(other.content)} in ${other.file}`;
      throw new AppError('INVALID_FILE', `${files.folder}/${ADDED_TOKENS}: ${message}`);
    }
    const isSpecial = special.has(content);
    const flags = { normalized: !isSpecial, special: isSpecial, isText: false };
    if (other === undefined) legacy.push({ content, id, file: ADDED_TOKENS, ...flags });
  }
  return [...legacy, ...addedTokens];
}

/**
 * In the order in which they are added.
 *
 * @param numbered by a file
 * @param others are added after them, each that is not there yet
 */
function listTokens(numbered: readonly DeclaredToken[], others: readonly DeclaredToken[]): DeclaredToken[] {
  const list = [...numbered].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  const contents = new Set(list.map(({ content }) => content));
  for (const token of others) {
    if (!contents.has(token.content) && !list.some((other) => isSame(token, other))) list.push(token);
  }
  return list;
}

/**
 * Numbers the tokens as `TokenizersBackend` does: one that the vocabulary has keeps its id, any other has the next
 * that is free, whatever its file says. Of a content that comes twice the later one says how it is looked for.
 */
function numberTokens(
  list: readonly DeclaredToken[],
  { ids }: Vocabulary,
  folder: string,
): Map<string, AddedToken> {
  const taken = new Set(Object.values(ids));
  const added = new Map<string, AddedToken>();
  let next = Object.keys(ids).length;
  for (const token of list) {
    const { content, id: said, file } = token;
    const known = added.get(content)?.id ?? (Object.hasOwn(ids, content) ? ids[content] : undefined);
    const id = known ?? next;
    if (said !== undefined && said !== id) {
      const message = `added token ${quote(content)} has the id ${said}, but ${id} in transformers`;
      throw new AppError('INVALID_FILE', `${folder}/${file}: ${message}`);
    }
    if (known === undefined && taken.has(id)) {
      const message = `added token ${quote(content)} is not in the vocabulary, and the next id ${id} is taken`;
      throw new AppError('INVALID_FILE', `${folder}: ${message}`);
    }
    if (known === undefined) next += 1;
    added.set(content, { content, id, normalized: isNormalized(token) });
  }
  refuseTwins([...added.values()], folder);
  return added;
}

/** Which of two is found in a text is left to chance in transformers. */
function refuseTwins(added: readonly AddedToken[], folder: string): void {
  const seen = new Map<string, string>();
  for (const { content, normalized } of added) {
    if (!normalized) continue;
    const read = normalise(content);
    const twin = seen.get(read);
    if (twin !== undefined) {
      const both = `${quote(twin)} and ${quote(content)}`;
      throw new AppError('INVALID_FILE', `${folder}: added tokens ${both} are the same in lower case`);
    }
    seen.set(read, content);
  }
}

function refuseMany(count: number, { folder }: TokenizerFiles): void {
  if (count <= MAX_ADDED_TOKENS) return;
  const message = `${folder}: ${count} added tokens, at most ${MAX_ADDED_TOKENS} are read`;
  throw new AppError('INVALID_FILE', message);
}

function refuseNull({ roles }: Settings, { folder }: TokenizerFiles): void {
  const role = (['bos_token', 'eos_token', 'unk_token'] as const).find((name) => roles[name] === null);
  if (role) throw new AppError('INVALID_FILE', `${folder}: "${role}" must be a token, not null`);
}

function refuseLeft(key: string, side: string | undefined, { folder }: TokenizerFiles): void {
  if (side === undefined || side.toLowerCase() === 'right') return;
  throw new AppError('INVALID_FILE', `${folder}: "${key}" is ${quote(side)}, only right is supported`);
}

function boundedLength(length: number | null | undefined): number {
  return length == null || length > MAX_LENGTH ? CLIP_LENGTH : length;
}
