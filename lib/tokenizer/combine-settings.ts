import { type DeclaredToken, isNormalized } from './added-token.js';
import { type RawSettings, ROLES, type Role, type SettingsFiles } from './read-settings.js';

/** What the files of a tokenizer say besides its vocabulary. */
export interface Settings {
  /** Null or absent where a file says so, or none says anything. */
  readonly roles: Readonly<Partial<Record<Role, DeclaredToken | null | undefined>>>;
  /** Tokens under names of the model's own, in the order in which they are added. */
  readonly named: readonly DeclaredToken[];
  /** `extra_special_tokens`; before transformers 5 `additional_special_tokens`. */
  readonly extra: readonly DeclaredToken[];
  /** What transformers takes for special in added_tokens.json, which does not say it. */
  readonly special: ReadonlySet<string>;
  readonly maxLength: number | null | undefined;
  readonly paddingSide: string | undefined;
  readonly truncationSide: string | undefined;
}

/**
 * Joins the two files as `PreTrainedTokenizerBase._from_pretrained` of transformers 5.23 does, step by step: the
 * order in which tokens are added decides which ids those have that no file numbers.
 */
export function combineSettings({ config, map }: SettingsFiles): Settings {
  const both: RawSettings = { ...config, ...map };
  const extra = collectExtra(config, map);
  const isKnownText = (token: DeclaredToken | null | undefined, from: boolean) => from || token?.isText;
  const special = [
    ...ROLES.filter((role) => isKnownText(both[role], role in map)).map((role) => both[role]),
    ...extra.known,
  ];
  return {
    roles: Object.fromEntries(ROLES.filter((role) => role in both).map((role) => [role, both[role]])),
    named: collectNamed(config, map),
    extra: extra.all,
    special: new Set(special.flatMap((token) => token?.content ?? [])),
    maxLength: 'model_max_length' in both ? both.model_max_length : both.max_len,
    paddingSide: both.padding_side,
    truncationSide: both.truncation_side,
  };
}

interface ExtraTokens {
  readonly all: readonly DeclaredToken[];
  /** Those whose text transformers knows before it reads added_tokens.json. */
  readonly known: readonly DeclaredToken[];
}

function collectExtra(config: RawSettings, map: RawSettings): ExtraTokens {
  let { extra_special_tokens: extra, additional_special_tokens: additional } = config;
  if (additional !== undefined && isNothing(extra)) [extra, additional] = [additional, undefined];
  if (extra && !isList(extra)) extra = undefined;
  const known = isList(extra) ? extra.filter((token) => token.isText) : [];

  const { extra_special_tokens: more } = map;
  if (isList(more)) {
    const before: readonly DeclaredToken[] = isList(extra) ? extra : [];
    extra = [...before, ...more.filter((token) => !before.some((other) => isSame(token, other)))];
    known.push(...more);
  } else if (more !== undefined) extra = more === null ? null : undefined;
  if ('additional_special_tokens' in map) additional = map.additional_special_tokens;
  const all = extra === undefined ? additional : extra;
  return { all: isList(all) ? all : [], known };
}

function collectNamed(config: RawSettings, map: RawSettings): DeclaredToken[] {
  const own = Object.entries(config.own);
  const texts = own.filter(([, token]) => token.isText);
  const ofDictionary = ({ extra_special_tokens: extra }: RawSettings) =>
    extra && !isList(extra) ? Object.entries(extra) : [];
  const explicit = [...texts, ...ofDictionary(config)];
  const named = new Map([
    ...own.filter(([, token]) => !token.isText),
    ...Object.entries(map.own),
    ...(explicit.length > 0 ? explicit : Object.entries(config.model_specific_special_tokens ?? {})),
    ...ofDictionary(map),
  ]);
  return [...named.values()];
}

/** As Python compares a `str` or an `AddedToken` with another. */
export function isSame(one: DeclaredToken, other: DeclaredToken): boolean {
  if (one.content !== other.content || one.isText !== other.isText) return false;
  return isNormalized(one) === isNormalized(other) && one.special === other.special;
}

function isList(value: unknown): value is DeclaredToken[] {
  return Array.isArray(value);
}

function isNothing(value: object | null | undefined): boolean {
  return value == null || Object.keys(value).length === 0;
}
