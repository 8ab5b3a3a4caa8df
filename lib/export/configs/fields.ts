import * as z from 'zod';

/** Bounds that keep a lying config from asking for absurd graphs; each is far above the family's largest. */
const MAX_SIZE = 1 << 20;
const MAX_COUNT = 256;

/** Channels, widths, vocabulary sizes. */
export const size = z.int().min(1).max(MAX_SIZE);
/** Layers, heads, groups. */
export const count = z.int().min(1).max(MAX_COUNT);
export const countOrNone = z.int().min(0).max(MAX_COUNT);
export const epsilon = z.number().min(0).max(1);

/** Activation names of diffusers, `swish` being another name of `silu`. */
export const activation = z
  .enum(['silu', 'swish', 'gelu', 'relu', 'mish'])
  .transform((name) => (name === 'swish' ? 'silu' : name));

/** A list over the levels of a network; not longer than any network is deep. */
export const perLevel = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(16);

/** A key that changes the architecture: only its absence is supported. */
export const absent = z.union([z.null(), z.literal(false)]).optional();
