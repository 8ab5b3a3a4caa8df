import * as z from 'zod';
import { selfTestSchema } from './self-test.js';

/** Files are checked, resumed and fetched in chunks of this many bytes: the unit of `crc32`. */
export const CHUNK_SIZE = 16 * 1024 * 1024;

/** 64 GiB: an order of magnitude above the largest checkpoint of this family; a larger size is a lie. */
const MAX_FILE_SIZE = 64 * 1024 ** 3;

/** More than a directory's name or two parts of a repository's can have; pictures carry it as a text. */
const MAX_NAME = 256;

/** No component is empty, `.` or `..`, so that a path cannot leave the bundle's directory. */
const BUNDLE_PATH = /^(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)*$/;

const manifestFileSchema = z
  .strictObject({
    path: z.string().max(512).regex(BUNDLE_PATH, 'must be a relative path inside the bundle'),
    size: z.int().min(0).max(MAX_FILE_SIZE),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** CRC-32 (as in zlib) of each chunk in order, eight hexadecimal digits each. */
    crc32: z.array(z.string().regex(/^[0-9a-f]{8}$/)),
  })
  .refine((file) => file.crc32.length === Math.ceil(file.size / CHUNK_SIZE), {
    path: ['crc32'],
    error: 'must have one entry per chunk',
  });

/** Of the bundles that are made now; older ones are read. */
export const BUNDLE_VERSION = 2;

/** `manifest.json`: what a bundle consists of. It is written last, so a bundle exists whole or not at all. */
export const manifestSchema = z.strictObject({
  format: z.literal('sd-turbo-bundle'),
  /** 2: a part of an attention's scale is in the weights of the dialect `cuda`, decoders give the mean of their picture. */
  version: z.literal([1, 2]),
  dialect: z.enum(['standard', 'cuda']),
  precision: z.enum(['float32', 'float16']),
  source: z.strictObject({
    /** `owner/name` on the Hugging Face hub; else what the checkpoint calls itself, or the name of its directory. */
    repo: z.string().max(MAX_NAME),
    /** Commit of `repo`; null where the source is a plain directory. */
    revision: z.string().max(MAX_NAME).nullable(),
  }),
  chunk_size: z.literal(CHUNK_SIZE),
  /** @default nobody has drawn it yet, or who did has written it into `self-test.json` beside this */
  self_test: selfTestSchema.optional(),
  /** In the order in which a cold start needs them. */
  files: z.array(manifestFileSchema).min(1).max(4096),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = z.infer<typeof manifestFileSchema>;
export type Dialect = Manifest['dialect'];
/** What is known of a bundle besides its files. Without a version it is of today's. */
export type BundleAbout = Pick<Manifest, 'dialect' | 'precision' | 'source'> &
  Partial<Pick<Manifest, 'version' | 'self_test'>>;
export type Precision = Manifest['precision'];
