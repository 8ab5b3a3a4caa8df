import { copyFile, link, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dialect, Precision } from '../schemas/manifest.js';
import { buildManifest } from '../weights/build-manifest.js';
import { writeWhole } from '../weights/write-whole.js';
import { buildGraphs, type ExportedPart } from './build-graphs.js';
import { openCheckpoint } from './checkpoint.js';

/** What the tokenizer may read; other files of that folder are left behind. */
const TOKENIZER_FILES = [
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
];

export interface ImportOptions {
  /** Directory of a checkpoint in diffusers layout. */
  readonly from: string;
  /** Directory of the bundle. It appears whole or not at all; an older bundle there is replaced. */
  readonly to: string;
  /** Directory of an AutoencoderTiny. @default no TAESD decoder */
  readonly taesd?: string;
  /** @default 'standard' */
  readonly dialect?: Dialect;
  /** Of the arithmetic. @default 'float32' */
  readonly precision?: Precision;
  /** Bytes checked so far and in all. @default none */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes a bundle of a checkpoint: one graph per network, the weights beside it as hard links (copies
 * where the file system cannot link), tokenizer, scheduler, and the manifest last.
 *
 * @throws AppError INVALID_FILE or UNSUPPORTED for the checkpoint, INVALID_INPUT for the target
 */
export async function importCheckpoint(options: ImportOptions): Promise<void> {
  const { from, to, taesd, dialect = 'standard', precision = 'float32' } = options;
  const checkpoint = await openCheckpoint(from, taesd);
  const parts = buildGraphs(checkpoint, precision);
  await writeWhole(to, async (folder) => {
    const files = await placeSmallFiles(from, folder);
    for (const part of parts) files.push(...(await placePart(part, folder)));
    const source = { repo: checkpoint.name, revision: null };
    const manifest = await buildManifest(folder, files, { dialect, precision, source }, options.onProgress);
    await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 1)}\n`);
  });
}

async function placeSmallFiles(from: string, folder: string): Promise<string[]> {
  const present = await readdir(join(from, 'tokenizer')).catch((): string[] => []);
  const tokenizer = TOKENIZER_FILES.filter((name) => present.includes(name)).map(
    (name) => `tokenizer/${name}`,
  );
  const files = ['model_index.json', 'scheduler/scheduler_config.json', ...tokenizer];
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await copySmall(join(from, file), join(folder, file));
  }
  return files;
}

async function placePart(
  { part, model, source, weightFiles }: ExportedPart,
  folder: string,
): Promise<string[]> {
  await mkdir(join(folder, part));
  await writeFile(join(folder, part, 'model.onnx'), model);
  await copySmall(join(source, 'config.json'), join(folder, part, 'config.json'));
  for (const file of weightFiles) await linkOrCopy(join(source, file), join(folder, part, file));
  return ['config.json', 'model.onnx', ...weightFiles].map((file) => `${part}/${file}`);
}

/** A new file with ordinary permissions, whatever those of the old one. */
async function copySmall(from: string, to: string): Promise<void> {
  await writeFile(to, await readFile(from));
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  // The Hugging Face cache holds links to its files, and a hard link of a link would lead nowhere from here.
  const file = await realpath(from);
  await link(file, to).catch(() => copyFile(file, to));
}
