import * as z from 'zod';

/** Twenty times CLIP's 49,408: an id above it belongs to no text encoder of the family. */
export const MAX_TOKEN_ID = 2 ** 20 - 1;

/** CLIP has 2 or 3, a trained concept adds a few; all of them are kept in memory by character. */
export const MAX_ADDED_TOKENS = 1024;

/** Characters; the longest of CLIP has 15. */
const MAX_CONTENT_LENGTH = 256;

/** A token that is found in the text itself, before it is split into words. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Whether it is looked for after normalisation (any case, any white space) or in the text as written. */
  readonly normalized: boolean;
}

/** A token as a file declares it, which may leave its id open. */
export interface DeclaredToken {
  readonly content: string;
  readonly id?: number;
  /** That gives the id. */
  readonly file?: string;
  /** Undefined where the file does not say: what is special is looked for in the text as written. */
  readonly normalized: boolean | undefined;
  readonly special: boolean;
  /** Whether the file has nothing but its text. */
  readonly isText: boolean;
}

const contentSchema = z
  .string()
  .min(1)
  .max(MAX_CONTENT_LENGTH)
  // Half a surrogate pair is in no text that transformers takes.
  .refine((content) => !/\p{Surrogate}/u.test(content), 'is not Unicode');

const unsupported = z.literal(false, 'is not supported, only false').nullish();

/** How transformers writes such a token. */
export const tokenObjectSchema = z.object({
  content: contentSchema,
  normalized: z.boolean().nullish(),
  special: z.boolean().nullish(),
  lstrip: unsupported,
  rstrip: unsupported,
  single_word: unsupported,
});

export const tokenIdSchema = z.int().min(0).max(MAX_TOKEN_ID);

/** What a text alone stands for: a special token. */
export function textToken(content: string): DeclaredToken {
  return { content, normalized: undefined, special: true, isText: true };
}

/**
 * A token as settings have it.
 *
 * @param special whether an object stands for a special token too, whatever it says
 */
export const declaredTokenSchema = (special: boolean) =>
  z.unknown().transform((value, { issues }): DeclaredToken => {
    const isText = typeof value === 'string';
    // No union of the two, whose error would not say which field is wrong.
    const { data, error } = tokenObjectSchema.safeParse(isText ? { content: value } : value);
    if (data) return isText ? textToken(data.content) : declaredToken(special ? { ...data, special } : data);
    const path = isText ? [] : error.issues[0]?.path;
    issues.push({ code: 'custom', input: value, path: path ?? [], message: `${error.issues[0]?.message}` });
    return z.NEVER;
  });

export function declaredToken(
  { content, normalized, special }: z.infer<typeof tokenObjectSchema>,
  number?: { readonly id: number; readonly file: string },
): DeclaredToken {
  const flags = { normalized: normalized ?? undefined, special: special ?? false };
  return { content, ...flags, isText: false, ...number };
}

export function isNormalized({ normalized, special }: DeclaredToken): boolean {
  return normalized ?? !special;
}
