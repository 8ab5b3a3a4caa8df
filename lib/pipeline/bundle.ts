import { open, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import { AppError } from '../errors/app-error.js';
import type { Provider } from '../runtime/session-messages.js';
import { EulerDiscreteScheduler } from '../schedulers/euler-discrete.js';
import { latentSize, latentSizeKeys } from '../schemas/latent-size.js';
import { type Dialect, type Manifest, manifestSchema, type Precision } from '../schemas/manifest.js';
import { MODEL_CARD, modelCardSchema, type Vocabulary } from '../schemas/model-card.js';
import type { PictureSize } from '../schemas/picture-size.js';
import type { Decoder } from '../schemas/request.js';
import type { SelfTest } from '../schemas/self-test.js';
import type { TextEncoderSize } from '../tokenizer/assert-fits.js';
import { bundleIdentity, withSelfTest } from '../weights/bundle/self-test-record.js';
import { FOREIGN_PREFIX_BYTES, foreignContent } from '../weights/bytes/foreign-content.js';
import { parseJson } from '../weights/bytes/parse-json.js';
import { assertDirectory } from '../weights/sources/assert-directory.js';
import { FileSource } from '../weights/sources/file-source.js';

/** The largest JSON file of a bundle is its manifest, some 100 kB for 64 GiB of weights. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

const MANIFEST = 'manifest.json';

const unetSchema = z.object({
  ...latentSizeKeys,
  in_channels: z.int().min(1).max(1024).default(4),
  block_out_channels: z.array(z.int()).min(1).default([320, 640, 1280, 1280]),
});
/** The defaults are transformers' own. */
const textEncoderSchema = z.object({
  vocab_size: z.int().min(1).default(49408),
  max_position_embeddings: z.int().min(1).default(77),
});
/** Many older checkpoints leave the factor to diffusers, whose AutoencoderKL and AutoencoderTiny differ in it. */
const decoderSchema = (defaultFactor: number) =>
  z.object({ scaling_factor: z.number().positive().default(defaultFactor) });

/** What the pipeline must know of a decoder, or of the encoder, besides its graph. */
export interface DecoderConfig {
  /**
   * Latents are divided by it before they are decoded, and multiplied after they were encoded. StableDiffusionPipeline of diffusers takes nothing else from the config: neither
   * `shift_factor` nor `latents_mean`, which are there for pipelines of other families.
   */
  readonly scalingFactor: number;
}

/** Beside it, the size of the pictures that it takes. */
export interface EncoderConfig extends DecoderConfig, PictureSize {}

/** A bundle on disk: what its configs say, no graph loaded. */
export interface Bundle {
  readonly folder: string;
  /** `repo@revision`, or the directory's name where nothing better is known. */
  readonly name: string;
  /** `standard` where nothing better is known. */
  readonly dialect: Dialect;
  /** Of its manifest: what its graphs are like; undefined where nothing is known. */
  readonly version: Manifest['version'] | undefined;
  /** Of the arithmetic; undefined where nothing is known. */
  readonly precision: Precision | undefined;
  /** Undefined where nothing can be recorded of it, for want of a manifest. */
  readonly identity: string | undefined;
  /** What the self-test's picture should look like, where somebody has drawn it. */
  readonly selfTest: SelfTest;
  /** channels, height, width */
  readonly latentShape: readonly [number, number, number];
  /** Of the UNet's widest block. */
  readonly unetChannels: number;
  readonly decoders: ReadonlyMap<Decoder, DecoderConfig>;
  /** Of latents that an encoder makes; undefined where there is none, and no picture can begin with another. */
  readonly encoder: EncoderConfig | undefined;
  /** Of its pictures; undefined where the decoder's config does not say. */
  readonly size: PictureSize | undefined;
  /** All that it can draw; undefined where that is more than can be listed. */
  readonly vocabulary: Vocabulary | undefined;
}

const DECODER_FOLDERS: Readonly<Record<Decoder, string>> = { vae: 'vae_decoder', taesd: 'taesd_decoder' };
const DECODER_SCHEMAS = { vae: decoderSchema(0.18215), taesd: decoderSchema(1) };
const levels = z.array(z.int()).min(1).max(16);
const encoderSchema = DECODER_SCHEMAS.vae.extend({ block_out_channels: levels });
const levelsSchema = z.object({ block_out_channels: levels.optional() });

/**
 * Opens a bundle of ours, or one that optimum or Olive exported (no manifest, no TAESD).
 *
 * @throws AppError NOT_FOUND when there is no bundle, INVALID_FILE when a config is damaged
 */
export async function openBundle(folder: string): Promise<Bundle> {
  await assertBundle(folder);
  const unet = await readJson(folder, 'unet/config.json', unetSchema);
  const decoders = new Map<Decoder, DecoderConfig>();
  for (const decoder of ['vae', 'taesd'] as const) {
    if (!(await exists(graphPath(folder, decoder)))) continue;
    const config = await readJson(
      folder,
      `${DECODER_FOLDERS[decoder]}/config.json`,
      DECODER_SCHEMAS[decoder],
    );
    decoders.set(decoder, { scalingFactor: config.scaling_factor });
  }
  const own = await readIfThere(folder, MANIFEST, manifestSchema);
  const manifest = own && (await withSelfTest(own, new FileSource(folder)));
  return {
    folder,
    ...(manifest ? aboutBundle(manifest) : { ...UNKNOWN, name: basename(resolve(folder)) }),
    latentShape: [unet.in_channels, ...latentSize(unet)],
    unetChannels: Math.max(...unet.block_out_channels),
    decoders,
    encoder: await readEncoder(folder, latentSize(unet)),
    size: await readSize(folder, latentSize(unet)),
    vocabulary: (await readIfThere(folder, MODEL_CARD, modelCardSchema))?.vocabulary,
  };
}

async function readEncoder(
  folder: string,
  [height, width]: readonly [number, number],
): Promise<EncoderConfig | undefined> {
  if (!(await exists(graphPath(folder, 'vae_encoder')))) return undefined;
  const config = await readJson(folder, 'vae_encoder/config.json', encoderSchema);
  const factor = factorOf(config);
  return { scalingFactor: config.scaling_factor, width: factor * width, height: factor * height };
}

async function readSize(
  folder: string,
  [height, width]: readonly [number, number],
): Promise<PictureSize | undefined> {
  const { block_out_channels } = await readJson(folder, `${DECODER_FOLDERS.vae}/config.json`, levelsSchema);
  if (!block_out_channels) return undefined;
  const factor = factorOf({ block_out_channels });
  return { width: factor * width, height: factor * height };
}

/** From latents to pixels: every level but the last halves the sides. */
function factorOf({
  block_out_channels: levels,
}: {
  readonly block_out_channels: readonly number[];
}): number {
  return 2 ** (levels.length - 1);
}

const UNKNOWN = {
  dialect: 'standard',
  version: undefined,
  precision: undefined,
  identity: undefined,
  selfTest: {},
} as const;

/** What only the manifest knows. */
export function aboutBundle(manifest: Manifest): Pick<Bundle, 'name' | keyof typeof UNKNOWN> {
  const { dialect, version, precision, self_test: selfTest = {} } = manifest;
  const identity = bundleIdentity(manifest);
  return { name: modelName(manifest), dialect, version, precision, identity, selfTest };
}

/**
 * What a model is called wherever it is shown: `owner/name@commit` where it came from Hugging Face; else the name that
 * its card gives it, or that of the checkpoint's directory.
 */
export function modelName({ source }: Manifest): string {
  return source.revision === null ? source.repo : `${source.repo}@${source.revision}`;
}

/** @throws AppError UNSUPPORTED when the bundle's graphs consist of operators that the provider does not have */
export function assertRunsOn(provider: Provider, { name, dialect }: Pick<Bundle, 'name' | 'dialect'>): void {
  if (dialect !== 'cuda' || provider === 'cuda') return;
  throw new AppError(
    'UNSUPPORTED',
    `--dialect cuda runs on NVIDIA GPUs only, not on the ${provider}: import ${name} with --dialect standard`,
  );
}

/** @throws AppError INVALID_INPUT when the bundle has no such decoder */
export function decoderConfig(bundle: Bundle, decoder: Decoder): DecoderConfig {
  const config = bundle.decoders.get(decoder);
  if (!config)
    throw new AppError('INVALID_INPUT', `decoder "${decoder}" is not in the bundle ${bundle.folder}`);
  return config;
}

/**
 * The scheduler of a bundle, from its scheduler_config.json.
 * StableDiffusionPipeline of diffusers sets `steps_offset` to 1 whatever the file says, and so does this.
 */
export async function readScheduler(folder: string): Promise<EulerDiscreteScheduler> {
  const file = 'scheduler/scheduler_config.json';
  const config = await readJson(folder, file, z.looseObject({}));
  return EulerDiscreteScheduler.fromConfig({ ...config, steps_offset: 1 }, join(folder, file));
}

/** Of a bundle's text encoder; undefined where there is no config, as some exporters write none. */
export async function readTextEncoderSize(folder: string): Promise<TextEncoderSize | undefined> {
  return readIfThere(folder, 'text_encoder/config.json', textEncoderSchema);
}

export type NetworkName = 'text_encoder' | 'unet' | 'vae_encoder' | Decoder;

/** A network's folder in a bundle. */
export function networkFolder(network: NetworkName): string {
  return network === 'vae' || network === 'taesd' ? DECODER_FOLDERS[network] : network;
}

/** Path of a network's graph in a bundle's directory. */
export function graphPath(folder: string, network: NetworkName): string {
  return join(folder, networkFolder(network), 'model.onnx');
}

async function assertBundle(folder: string): Promise<void> {
  await assertDirectory(folder);
  for (const network of ['text_encoder', 'unet', 'vae'] as const) {
    if (await exists(graphPath(folder, network))) {
      await refuseForeign(graphPath(folder, network));
      continue;
    }
    const hint = (await exists(join(folder, 'vae', 'config.json')))
      ? 'it is a checkpoint: make a bundle of it with "sd-turbo import"'
      : `${graphPath(folder, network)} is missing`;
    throw new AppError('NOT_FOUND', `${folder} holds no bundle: ${hint}`);
  }
}

/** A clone without Git LFS has pointers in place of its large files. */
async function refuseForeign(path: string): Promise<void> {
  const prefix = await readPrefix(path).catch((cause) => {
    throw new AppError('INVALID_FILE', `${path} cannot be used: ${cause.message}`, { cause });
  });
  const foreign = foreignContent(prefix);
  if (foreign) throw new AppError('INVALID_FILE', `${path} is ${foreign}`);
}

async function readPrefix(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FOREIGN_PREFIX_BYTES));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function readIfThere<S extends z.ZodType>(
  folder: string,
  file: string,
  schema: S,
): Promise<z.infer<S> | undefined> {
  return (await exists(join(folder, file))) ? readJson(folder, file, schema) : undefined;
}

async function readJson<S extends z.ZodType>(folder: string, file: string, schema: S): Promise<z.infer<S>> {
  const path = join(folder, file);
  const refuse = (reason: string, cause?: unknown): never => {
    throw new AppError('INVALID_FILE', `${path} cannot be used: ${reason}`, { cause });
  };
  const json = parseJson(await readSmallFile(path).catch((cause) => refuse(cause.message, cause)), path);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  return refuse(`"${issue.path.join('.') || 'the file'}": ${issue.message}`, result.error);
}

async function readSmallFile(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > MAX_JSON_BYTES) throw new Error(`larger than ${MAX_JSON_BYTES} bytes`);
  return readFile(path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
