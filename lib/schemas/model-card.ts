import * as z from 'zod';

/** At the top of a checkpoint and of its bundle; only a model that knows few words needs one. No other tool has such a file. */
export const MODEL_CARD = 'sd-turbo-card.json';

/** Each group, word and synonym stands on a line with others. Characters. */
const MAX_WORD = 64;
/** What would fill pages is no help to anybody. */
const MAX_GROUPS = 32;
const MAX_WORDS = 256;

const word = z.string().min(1).max(MAX_WORD);
const atMost = (max: number) => (entries: object) => Object.keys(entries).length <= max;
const things = z
  .record(word, z.array(word).max(MAX_WORDS))
  .refine(atMost(MAX_WORDS), `must have at most ${MAX_WORDS} words`);

/** `sd-turbo-card.json`: what a model calls itself, and all that it can draw. */
export const modelCardSchema = z.object({
  /** As it is shown; see `modelName`. */
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 of the characters A-Z a-z 0-9 . _ -'),
  /** By group: each thing by its first word, with the other words for it. */
  vocabulary: z.record(word, things).refine(atMost(MAX_GROUPS), `must have at most ${MAX_GROUPS} groups`),
});

/** The same without the other words: what `/ping` and `/health` tell. */
export const drawsSchema = z
  .record(z.string(), z.array(z.string()))
  .describe('All that the model can draw, by group, where that is little.');

export type ModelCard = z.infer<typeof modelCardSchema>;
export type Vocabulary = ModelCard['vocabulary'];
export type Draws = z.infer<typeof drawsSchema>;

/** The first word for each thing. */
export function firstWords(vocabulary: Vocabulary): Draws {
  return Object.fromEntries(
    Object.entries(vocabulary).map(([group, things]) => [group, Object.keys(things)]),
  );
}
