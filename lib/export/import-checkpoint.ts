import { setMaxListeners } from 'node:events';
import { AppError } from '../errors/app-error.js';
import type { Dialect, Manifest, ManifestFile, Precision } from '../schemas/manifest.js';
import type { SelfTest } from '../schemas/self-test.js';
import { copyBundle } from '../weights/bundle/copy-bundle.js';
import type { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { assertRevision } from '../weights/sources/hub/hub-location.js';
import { BUNDLE_KINDS, type Place, parsePlace, SOURCE_KINDS } from '../weights/sources/place.js';
import type { BundlePlan } from './bundle-plan.js';
import { Places, type PlacesProps } from './places.js';
import { planBundle } from './plan-bundle.js';
import { isBundle, planCopy } from './plan-copy.js';

/** A place is a directory, `s3://BUCKET/PREFIX`, or, to read from, `hf:OWNER/NAME[@REVISION]`. */
export interface ImportOptions {
  /** A checkpoint in diffusers layout, or a finished bundle, which is copied. */
  readonly from: string;
  /** Where the bundle appears, whole or not at all; an older bundle there is replaced. */
  readonly to: string;
  /** An AutoencoderTiny. @default no TAESD decoder */
  readonly taesd?: string | undefined;
  /** Whether the bundle can begin with a picture (image to image). @default false */
  readonly encoder?: boolean | undefined;
  /** Branch, tag or commit of `from` on Hugging Face. @default what `from` says, else the main branch */
  readonly revision?: string | undefined;
  /** @default 'standard', or what a finished bundle has */
  readonly dialect?: Dialect | undefined;
  /** Of the arithmetic. @default 'float32' (dialect cuda: 'float16'), or what a finished bundle has */
  readonly precision?: Precision | undefined;
  /**
   * Draws the self-test's picture for a bundle that has none, when its files are where they should be and before anybody
   * sees them; what it throws ends the import. @default nobody draws it
   */
  readonly selfTest?: ((made: NewBundle) => Promise<SelfTest | undefined>) | undefined;
  /**
   * Whether `taesd` and `encoder` are welcome, but not needed: left out where there is no such repository, or `from` is a
   * finished bundle. @default false
   */
  readonly extrasOptional?: boolean | undefined;
  /** Told of the files before anything is written; what it throws ends the import. @default nobody is told */
  readonly onPlan?: ((files: readonly PlannedFile[]) => void) | undefined;
  /** Bytes that are done and in all. @default nobody is told */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A file that a bundle will have. */
export type PlannedFile = Pick<ManifestFile, 'path' | 'size'>;

/** A bundle whose files are there, and whose manifest is not yet. */
export interface NewBundle extends Pick<Manifest, 'dialect' | 'precision' | 'files'> {
  /** Whether it is a copy of a finished bundle. */
  readonly isCopy: boolean;
}

/** How an import is run. */
export interface ImportContext extends Omit<PlacesProps, 'signal'> {
  /** Chunks of 16 MiB in memory at once. @default 8 */
  readonly parallelism?: number;
  /** Stops the import, which then cleans up and fails with its reason. @default never */
  readonly signal?: AbortSignal;
  /** Whether an import into a directory that was stopped, or lost its connection, leaves the next one what it has. @default false */
  readonly resumable?: boolean;
}

/**
 * Makes a bundle of a checkpoint: one graph per network, the weights beside it, tokenizer, scheduler, and the
 * manifest last. Everything passes through memory, 16 MiB at a time, is summed up on the way, and is checked by what
 * its source says of it; nothing of it is put on a disk that is not the target.
 *
 * A failure leaves nothing of a new bundle, unless it is `resumable`. After a kill the next import to the same place goes
 * on: in a directory with the chunks of files whose digest is known, on S3 from the beginning, less what an older bundle
 * there has in common.
 *
 * @returns the manifest of the bundle
 * @throws AppError INVALID_FILE or UNSUPPORTED for the checkpoint, INVALID_INPUT for the target, NOT_FOUND or
 * UNAVAILABLE for what is on the network
 */
export async function importCheckpoint(
  options: ImportOptions,
  context: ImportContext = {},
): Promise<Manifest> {
  const to = parsePlace(options.to, BUNDLE_KINDS);
  const from = pin(parsePlace(options.from, SOURCE_KINDS), options.revision);
  const taesd = options.taesd === undefined ? undefined : parsePlace(options.taesd, SOURCE_KINDS);
  const { parallelism, signal, resumable, ...reach } = context;
  const stop = new AbortController();
  // Every part of the work listens, each shard of a checkpoint for itself.
  setMaxListeners(0, stop.signal);
  const cancel = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  const places = new Places({ ...reach, signal: stop.signal });
  try {
    const sink = await places.openSink(to);
    const { isCopy, entries, about } = await makePlan(places, from, taesd, options);
    const { onProgress, onPlan, selfTest } = options;
    const { dialect, precision } = about;
    onPlan?.(entries);
    const how = {
      ...(parallelism && { parallelism }),
      ...(resumable && { resumable }),
      ...(onProgress && { onProgress }),
      ...(selfTest &&
        !about.self_test && {
          selfTest: (files: readonly ManifestFile[]) =>
            selfTest({ isCopy, dialect, precision, files: [...files] }),
        }),
    };
    return await copyBundle({ entries, about, sink, stop, ...how });
  } finally {
    signal?.removeEventListener('abort', cancel);
    await places.close();
  }
}

async function makePlan(
  places: Places,
  from: Place,
  taesd: Place | undefined,
  { dialect, precision, encoder = false, extrasOptional = false }: ImportOptions,
): Promise<BundlePlan & { readonly isCopy: boolean }> {
  const reader = await places.openReader(from);
  if (await isBundle(reader)) {
    if ((taesd || encoder) && !extrasOptional) {
      const part = taesd ? 'TAESD decoder' : 'encoder';
      throw new AppError(
        'INVALID_INPUT',
        `${reader.nameOf('')} is a finished bundle: no ${part} can be added`,
      );
    }
    const wanted = { ...(dialect && { dialect }), ...(precision && { precision }) };
    return { isCopy: true, ...(await planCopy(reader, wanted)) };
  }
  const tiny = taesd && (await openTiny(places, taesd, extrasOptional));
  const usual = dialect === 'cuda' ? 'float16' : 'float32';
  const options = { dialect: dialect ?? 'standard', precision: precision ?? usual, encoder } as const;
  return { isCopy: false, ...(await planBundle(reader, tiny, options)) };
}

async function openTiny(
  places: Places,
  taesd: Place,
  isOptional: boolean,
): Promise<CheckpointReader | undefined> {
  return places.openReader(taesd).catch((error) => {
    if (isOptional && error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
}

function pin(place: Place, revision: string | undefined): Place {
  if (revision === undefined) return place;
  assertRevision(revision);
  if (place.kind !== 'hub')
    throw new AppError('INVALID_INPUT', 'a revision can only be named for hf:OWNER/NAME');
  const said = place.location.revision;
  if (said !== undefined && said !== revision)
    throw new AppError('INVALID_INPUT', `two revisions are named: ${said} and ${revision}`);
  return { kind: 'hub', location: { repo: place.location.repo, revision } };
}
