import { join } from 'node:path/posix';
import { AppError } from '../../errors/app-error.js';
import { quoteName } from '../bytes/quote-name.js';
import type { CheckpointReader } from './checkpoint-reader.js';
import { readShardIndex } from './read-shard-index.js';
import { readSafetensorsHeader, type StoredTensor } from './safetensors-header.js';

/** Files that an error names. */
const MAX_NAMED = 4;

/** Of a variant's file, after the stem. */
const VARIANT_FILE = /^\.([\w-]+)\.safetensors$/;

/**
 * Of a variant's index, after the stem. diffusers 0.42 and transformers 5 write the first (`_add_variant`), older
 * diffusers the second (`_fetch_index_file_legacy`); the third is how a file would be named after its shards.
 */
const VARIANT_INDICES = [
  /^\.safetensors\.index\.([\w-]+)\.json$/,
  /^\.safetensors\.([\w-]+)\.index\.json$/,
  /^\.([\w-]+)\.safetensors\.index\.json$/,
];

/** What diffusers and transformers add to a file's name where there are several. */
const SHARD_NUMBER = /-\d+-of-\d+$/;

/** The weights of one network of a checkpoint. */
export interface PartWeights {
  /** Files in use, relative to the folder. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

export type WeightsStem = 'diffusion_pytorch_model' | 'model';

/** What PyTorch, Flax, TensorFlow and original checkpoints end in. */
const OTHER_FORMATS = /\.(?:bin|ckpt|pt|pth|msgpack|h5)$/;

/**
 * Finds a part's weights in a diffusers folder: the fp16 variant first, then what has no variant, then the only
 * other variant (bf16, non_ema, ...); of each the one file, or sharded files with an index. Reads headers only.
 *
 * @param folder in the checkpoint; '' is its top
 * @throws AppError INVALID_FILE, which names the file and the tensor; UNSUPPORTED when there are weights in
 * other formats only
 */
export async function openPart(
  reader: CheckpointReader,
  folder: string,
  stem: WeightsStem,
): Promise<PartWeights> {
  const present = await reader.list(folder);
  const single = [`${stem}.fp16.safetensors`, `${stem}.safetensors`].find((name) => present.has(name));
  if (single !== undefined) return openFile(reader, folder, single);
  const indices = [...(variantIndices(present, stem).get('fp16') ?? []), `${stem}.safetensors.index.json`];
  const index = indices.find((name) => present.has(name));
  if (index !== undefined) return openShards(reader, folder, index);
  const variant = onlyVariant(present, stem);
  if (variant === undefined) return refuseFolder(reader.nameOf(folder), stem, present);
  return variant.endsWith('.json') ? openShards(reader, folder, variant) : openFile(reader, folder, variant);
}

async function openFile(reader: CheckpointReader, folder: string, file: string): Promise<PartWeights> {
  const tensors = await readSafetensorsHeader(reader, join(folder, file));
  return { files: [file], tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

/** The file of the only other variant, or the index of its files; undefined where there is a choice, or nothing. */
function onlyVariant(present: ReadonlySet<string>, stem: WeightsStem): string | undefined {
  const variants = variantIndices(present, stem);
  for (const name of present) {
    const variant = variantOf(name, stem, VARIANT_FILE);
    // Before an index: as for fp16, one file is preferred to several.
    if (variant !== undefined) variants.set(variant, [name]);
  }
  const [only, ...others] = variants.values();
  return others.length === 0 ? only?.[0] : undefined;
}

/** By variant, the usual spelling first. */
function variantIndices(present: ReadonlySet<string>, stem: WeightsStem): Map<string, string[]> {
  const indices = new Map<string, string[]>();
  for (const pattern of VARIANT_INDICES) {
    for (const name of present) {
      const variant = variantOf(name, stem, pattern);
      if (variant !== undefined) indices.set(variant, [...(indices.get(variant) ?? []), name]);
    }
  }
  return indices;
}

function variantOf(name: string, stem: WeightsStem, pattern: RegExp): string | undefined {
  if (!name.startsWith(`${stem}.`)) return undefined;
  const found = pattern.exec(name.slice(stem.length))?.[1];
  return found === undefined || SHARD_NUMBER.test(found) ? undefined : found;
}

function refuseFolder(folder: string, stem: WeightsStem, present: ReadonlySet<string>): never {
  const other = [...present].find((name) => OTHER_FORMATS.test(name));
  const variants = [...present].filter((name) => name.endsWith('.safetensors'));
  const instead =
    variants.length === 0 ? '' : `, but ${variants.slice(0, MAX_NAMED).map(quoteName).join(', ')}`;
  const shards = variants.some((name) => /-\d+-of-\d+\./.test(name));
  const hint = shards ? `: an index of such files is ${stem}.safetensors.index.json` : '';
  if (other === undefined || variants.length > 0)
    throw new AppError(
      'INVALID_FILE',
      `${folder} has neither ${stem}.fp16.safetensors nor ${stem}.safetensors${instead}${hint}`,
    );
  throw new AppError(
    'UNSUPPORTED',
    `${folder} has weights in another format only (${other}): convert them to safetensors first`,
  );
}

async function openShards(reader: CheckpointReader, folder: string, index: string): Promise<PartWeights> {
  const shardOf = await readShardIndex(reader, join(folder, index));
  const files = [...new Set(shardOf.values())].sort();
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    const path = reader.nameOf(join(folder, file));
    for (const tensor of await readSafetensorsHeader(reader, join(folder, file))) {
      const name = quoteName(tensor.name);
      const owner = shardOf.get(tensor.name);
      if (owner === undefined)
        throw new AppError('INVALID_FILE', `${path}: tensor ${name} is not in ${index}`);
      if (owner !== file)
        throw new AppError('INVALID_FILE', `${path}: tensor ${name} belongs into ${owner}, says ${index}`);
      tensors.set(tensor.name, tensor);
    }
  }
  for (const [name, file] of shardOf)
    if (!tensors.has(name))
      throw new AppError(
        'INVALID_FILE',
        `${reader.nameOf(join(folder, file))} lacks tensor ${quoteName(name)} of ${index}`,
      );
  return { files, tensors };
}
