import type { TokenizerFiles } from '../tokenizer/tokenizer-files.js';
import type { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';

const FOLDER = 'tokenizer';

/** What the tokenizer may read; other files of that folder are left behind. */
const NAMES = [
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** Paths of the tokenizer's files that a checkpoint has. */
export async function listTokenizerFiles(reader: CheckpointReader): Promise<string[]> {
  const present = await reader.list(FOLDER);
  return NAMES.filter((name) => present.has(name)).map((name) => `${FOLDER}/${name}`);
}

/** A checkpoint's tokenizer, wherever the checkpoint is. */
export async function openTokenizerFiles(reader: CheckpointReader): Promise<TokenizerFiles> {
  const present = await reader.list(FOLDER);
  return {
    folder: reader.nameOf(FOLDER),
    async read(name, maxBytes) {
      return present.has(name) ? reader.readSmall(`${FOLDER}/${name}`, maxBytes) : undefined;
    },
  };
}
