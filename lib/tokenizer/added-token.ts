import * as z from 'zod';

/** Twenty times CLIP's 49,408: an id above it belongs to no text encoder of the family. */
export const MAX_TOKEN_ID = 2 ** 20 - 1;

/** Each of them is tried at every character of a prompt. CLIP has 2 or 3, a trained concept adds a few. */
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

const unsupported = z.literal(false, 'is not supported, only false').optional();

/** How transformers writes such a token. */
export const addedTokenSchema = z.object({
  content: z.string().min(1).max(MAX_CONTENT_LENGTH),
  normalized: z.boolean().optional(),
  special: z.boolean().optional(),
  lstrip: unsupported,
  rstrip: unsupported,
  single_word: unsupported,
});

export const tokenIdSchema = z.int().min(0).max(MAX_TOKEN_ID);

/** Every token is normalised unless the file says otherwise or it is special. */
export function addedToken(id: number, token: z.infer<typeof addedTokenSchema>): AddedToken {
  return { content: token.content, id, normalized: token.normalized ?? !token.special };
}
