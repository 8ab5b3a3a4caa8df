import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../lib/errors/app-error.js';
import { planBundle } from '../../lib/export/plan-bundle.js';
import { ClipTokenizer } from '../../lib/tokenizer/clip-tokenizer.js';
import { CheckpointReader } from '../../lib/weights/checkpoint/checkpoint-reader.js';
import type { CheckpointSource } from '../../lib/weights/sources/checkpoint-source.js';
import { MERGES_TXT, merges, tokenizerJson, vocab } from '../tokenizer/tokenizer-text.js';
import type { Files } from './tokenizer-mutations.js';

const FOLDER = '/model';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const token = (content: string, more: object = {}) => ({ content, lstrip: false, rstrip: false, ...more });

const CONFIG = json({
  bos_token: token('<|startoftext|>', { __type: 'AddedToken', normalized: true }),
  eos_token: '<|endoftext|>',
  pad_token: '!',
  model_max_length: 77,
});
const MAP = json({ unk_token: token('<|endoftext|>'), additional_special_tokens: ['<cat>'] });

/** The layouts of a tokenizer that the mutations begin with. */
export const TOKENIZERS: readonly Files[] = [
  {
    'vocab.json': json(vocab),
    'merges.txt': Buffer.from(MERGES_TXT),
    'tokenizer_config.json': CONFIG,
    'special_tokens_map.json': MAP,
    'added_tokens.json': json({ '<cat>': 540, '<dog>': 541 }),
  },
  {
    'tokenizer.json': json(tokenizerJson([{ id: 540, ...token('<cat>', { normalized: false }) }])),
    'tokenizer_config.json': CONFIG,
    'special_tokens_map.json': MAP,
  },
  {
    'vocab.json': json(vocab),
    'merges.txt': Buffer.from(merges.join('\n')),
    'tokenizer_config.json': json({
      added_tokens_decoder: {
        0: token('!'),
        539: token('<|endoftext|>', { special: true }),
        540: token('<cat>'),
      },
    }),
  },
];

/** A whole checkpoint of a few kilobytes, sharded, for the readers of configs, indices and weights. */
export const CHECKPOINT: Files = readFolder('test/fixtures/family/sharded/checkpoint');

export type Outcome = 'accepted' | 'refused';

/**
 * Loads a tokenizer and encodes with it.
 *
 * @throws Error when it does anything but give ids of its own, or say what is wrong in which file
 */
export async function tryTokenizer(files: Files, prompts: readonly string[]): Promise<Outcome> {
  const source = {
    folder: FOLDER,
    async read(name: string, maxBytes: number) {
      const bytes = files[name];
      if (bytes && bytes.length > maxBytes)
        throw new AppError('INVALID_FILE', `${FOLDER}/${name} is too long`);
      return bytes;
    },
  };
  return judge(async () => {
    const tokenizer = await ClipTokenizer.load(source);
    const { maxLength, largest } = tokenizer;
    for (const prompt of prompts) {
      const { inputIds, tokens, truncated } = tokenizer.encode(prompt);
      const known = inputIds.every((id) => id >= 0 && id <= largest.id);
      if (!known || inputIds.length !== maxLength || truncated !== Math.max(0, tokens - (maxLength - 2)))
        throw new Error(
          `${JSON.stringify(prompt)} became ${inputIds.join()}, the largest id being ${largest.id}`,
        );
    }
  });
}

/** Plans the import of a checkpoint, which reads all but the weights themselves. */
export function tryCheckpoint(files: Files): Promise<Outcome> {
  const reader = new CheckpointReader(memorySource(files), { retries: 0 });
  return judge(async () => {
    await planBundle(reader, undefined, { dialect: 'standard', precision: 'float32', encoder: false });
  });
}

async function judge(attempt: () => Promise<void>): Promise<Outcome> {
  try {
    await attempt();
    return 'accepted';
  } catch (error) {
    const told = error instanceof AppError && /^INVALID_FILE|UNSUPPORTED|NOT_FOUND$/.test(error.code);
    if (told && isReadable(error.message)) return 'refused';
    throw error;
  }
}

function isReadable(message: string): boolean {
  const namesPlace = /\/model|text_encoder|unet|vae|tokenizer/.test(message);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  return namesPlace && message.length < 1500 && !/[\x00-\x1f\x7f]/.test(message);
}

function memorySource(files: Files): CheckpointSource {
  const get = (path: string): Uint8Array => {
    const bytes = files[path];
    if (!bytes) throw new AppError('NOT_FOUND', `${FOLDER}/${path} does not exist`);
    return bytes;
  };
  return {
    description: FOLDER,
    name: 'model',
    revision: null,
    async list(folder) {
      const prefix = folder === '' ? '' : `${folder}/`;
      const inside = Object.keys(files).filter((path) => path.startsWith(prefix));
      return new Set(inside.map((path) => path.slice(prefix.length).split('/')[0] as string));
    },
    async size(path) {
      return files[path]?.length;
    },
    async open(path, { start, end }) {
      const piece = get(path).subarray(start, end);
      return (async function* () {
        yield piece;
      })();
    },
    async readSmall(path, maxBytes) {
      const bytes = get(path);
      if (bytes.length > maxBytes) throw new AppError('INVALID_FILE', `${FOLDER}/${path} is too long`);
      return bytes;
    },
  };
}

function readFolder(folder: string): Files {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((path) => [path.slice(folder.length + 1), readFileSync(path)]));
}
