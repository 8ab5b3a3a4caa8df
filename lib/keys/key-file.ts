import * as z from 'zod';

/** Of a key: what stands in a shell, a log and a name of AWS as it is. */
export const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/;
/** The key that a service has without anybody's adding it. */
export const DEFAULT_KEY_NAME = 'default';
/** More are no names for people to know. */
export const MAX_KEYS = 1_000;

export const QUOTA_PERIODS = ['day', 'month'] as const;

const quotaSchema = z.strictObject({ limit: z.int().min(1), period: z.enum(QUOTA_PERIODS) });

/** `keys.json`: who may ask a service at home, besides the one who has started it. No key can be found from it. */
export const keyFileSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(KEY_NAME),
        /** Of the key, in hexadecimal. It is 160 random bits: nothing slower than this is needed to keep it. */
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        created_at: z.iso.datetime(),
        quota: quotaSchema.optional(),
        /** Requests a second. */
        rate: z.int().min(1).optional(),
      }),
    )
    .max(MAX_KEYS),
});

export type KeyFile = z.infer<typeof keyFileSchema>;
export type KeyRecord = KeyFile['keys'][number];
/** Requests in a day or a month, by UTC. */
export type Quota = z.infer<typeof quotaSchema>;
