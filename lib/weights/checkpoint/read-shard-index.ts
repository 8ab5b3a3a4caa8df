import { AppError } from '../../errors/app-error.js';
import { isJsonObject, parseJsonObject } from '../bytes/parse-json.js';
import { quoteName } from '../bytes/quote-name.js';
import type { CheckpointReader } from './checkpoint-reader.js';

/** 16 MiB: about 100,000 tensors; the largest index in use has a few thousand. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/** The largest checkpoints in use have some hundred. */
const MAX_SHARDS = 1000;

/** A plain file name, so that a shard cannot lie outside the part's folder. */
const SHARD_NAME = /^\w[\w.-]*\.safetensors$/;

/**
 * Reads the index of a sharded checkpoint.
 *
 * @param file path of a `*.index.json`
 * @returns the shard's file name by the tensor's name
 * @throws AppError INVALID_FILE
 */
export async function readShardIndex(
  reader: CheckpointReader,
  file: string,
): Promise<ReadonlyMap<string, string>> {
  const path = reader.nameOf(file);
  const { weight_map: weightMap } = parseJsonObject(await reader.readSmall(file, MAX_INDEX_BYTES), path);
  if (!isJsonObject(weightMap)) throw new AppError('INVALID_FILE', `${path}: weight_map must be an object`);

  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard)) {
      const found = typeof shard === 'string' ? quoteName(shard) : typeof shard;
      throw new AppError(
        'INVALID_FILE',
        `${path}: tensor ${quoteName(name)}: shard must be the plain name of a .safetensors file, not ${found}`,
      );
    }
    shardOf.set(name, shard);
  }
  const shards = new Set(shardOf.values()).size;
  if (shards === 0) throw new AppError('INVALID_FILE', `${path}: weight_map is empty`);
  if (shards > MAX_SHARDS) throw new AppError('INVALID_FILE', `${path} names more than ${MAX_SHARDS} shards`);
  return shardOf;
}
