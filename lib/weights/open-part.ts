import { join } from 'node:path/posix';
import { AppError } from '../errors/app-error.js';
import type { CheckpointReader } from './checkpoint-reader.js';
import { quoteName } from './quote-name.js';
import { readShardIndex } from './read-shard-index.js';
import { readSafetensorsHeader, type StoredTensor } from './safetensors-header.js';

/** Files that an error names. */
const MAX_NAMED = 4;

/** Of a variant, after the stem; shards have a dash. */
const VARIANT = /^\.\w+\.safetensors$/;

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
 * Finds a part's weights in a diffusers folder: the fp16 variant first, then the plain file, then sharded
 * files with an index (both variants), then the only file of another variant. Reads headers only.
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
  const index = indexNames(stem).find((name) => present.has(name));
  if (index !== undefined) return openShards(reader, folder, index);
  const variant = onlyVariant(present, stem);
  if (variant !== undefined) return openFile(reader, folder, variant);
  return refuseFolder(reader.nameOf(folder), stem, present);
}

async function openFile(reader: CheckpointReader, folder: string, file: string): Promise<PartWeights> {
  const tensors = await readSafetensorsHeader(reader, join(folder, file));
  return { files: [file], tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

/** `diffusion_pytorch_model.bf16.safetensors` and the like, where there is one such file and nothing to choose. */
function onlyVariant(present: ReadonlySet<string>, stem: WeightsStem): string | undefined {
  const [only, ...others] = [...present].filter(
    (name) => name.startsWith(`${stem}.`) && VARIANT.test(name.slice(stem.length)),
  );
  return others.length === 0 ? only : undefined;
}

/**
 * diffusers 0.42 and transformers 5 write the first and the last (`_add_variant`), older diffusers the
 * second (`_fetch_index_file_legacy`); the third is how a file would be named after its shards.
 */
function indexNames(stem: WeightsStem): string[] {
  return [
    `${stem}.safetensors.index.fp16.json`,
    `${stem}.safetensors.fp16.index.json`,
    `${stem}.fp16.safetensors.index.json`,
    `${stem}.safetensors.index.json`,
  ];
}

function refuseFolder(folder: string, stem: WeightsStem, present: ReadonlySet<string>): never {
  const other = [...present].find((name) => OTHER_FORMATS.test(name));
  const variants = [...present].filter((name) => name.endsWith('.safetensors'));
  const instead =
    variants.length === 0 ? '' : `, but ${variants.slice(0, MAX_NAMED).map(quoteName).join(', ')}`;
  if (other === undefined || variants.length > 0)
    throw new AppError(
      'INVALID_FILE',
      `${folder} has neither ${stem}.fp16.safetensors nor ${stem}.safetensors${instead}`,
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
