import { join } from 'node:path/posix';
import { AppError } from '../errors/app-error.js';
import { MODEL_CARD, modelCardSchema } from '../schemas/model-card.js';
import type { BundleEntry } from '../weights/bundle/bundle-entry.js';
import { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { MemoryCheckpoint } from '../weights/checkpoint/memory-checkpoint.js';
import { buildGraphs, type ExportedPart, type GraphOptions } from './build-graphs.js';
import type { BundlePlan } from './bundle-plan.js';
import { openCheckpoint } from './checkpoint.js';
import { readConfig } from './configs/read-config.js';
import { listTokenizerFiles } from './tokenizer-files.js';

/**
 * Builds the graphs of a checkpoint and says which files belong to its bundle. Reads configs and headers, no
 * weights.
 *
 * @param taesd an AutoencoderTiny for the same latents
 * @throws AppError INVALID_FILE or UNSUPPORTED, naming part, key and value
 */
export async function planBundle(
  reader: CheckpointReader,
  taesd: CheckpointReader | undefined,
  options: GraphOptions,
): Promise<BundlePlan> {
  const { dialect, precision } = options;
  if (dialect === 'cuda' && precision !== 'float16')
    throw new AppError('INVALID_INPUT', `dialect cuda computes in float16, not in ${precision}`);
  const parts = buildGraphs(await openCheckpoint(reader, taesd), options);
  const card = (await reader.list('')).has(MODEL_CARD)
    ? await readConfig(reader, MODEL_CARD, modelCardSchema)
    : undefined;
  const small = [
    'model_index.json',
    ...(card ? [MODEL_CARD] : []),
    'scheduler/scheduler_config.json',
    ...(await listTokenizerFiles(reader)),
  ];
  const entries: BundleEntry[] = [];
  for (const path of small) entries.push(await planFile(reader, path, path));
  for (const part of parts) entries.push(...(await planPart(part)));
  const { name, revision } = reader.source;
  // On the hub names are given once; no card there can pass for somebody else's model.
  const repo = revision === null && card ? card.name : name;
  return { entries, about: { dialect, precision, source: { repo, revision } } };
}

async function planPart({ part, model, reader, source, weights }: ExportedPart): Promise<BundleEntry[]> {
  const path = `${part}/model.onnx`;
  const made = new CheckpointReader(new MemoryCheckpoint(new Map([[path, model]])));
  return [
    await planFile(reader, join(source, 'config.json'), `${part}/config.json`),
    await planFile(made, path, path),
    ...(await Promise.all(
      weights.map(async ({ reader, from, name, check }) => ({
        ...(await planFile(reader, from, `${part}/${name}`)),
        check,
      })),
    )),
  ];
}

async function planFile(reader: CheckpointReader, from: string, path: string): Promise<BundleEntry> {
  const size = await reader.size(from);
  if (size === undefined) throw new AppError('INVALID_FILE', `${reader.nameOf(from)} is missing`);
  return { path, size, reader, from, digest: reader.source.digest?.(from) };
}
