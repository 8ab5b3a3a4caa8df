import { cpSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'bundle-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function copyOf(folder: string): string {
  const copy = mkdtempSync(join(scratch, 'copy-'));
  cpSync(join(ROOT, folder), copy, { recursive: true });
  return copy;
}

/** As another exporter leaves it. */
function foreignBundle(files: Readonly<Record<string, string>>): string {
  const folder = copyOf('lib/demo-model/bundle');
  rmSync(join(folder, 'manifest.json'), { force: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}

async function load(folder: string): Promise<TextToImage> {
  const host = startSessionHost();
  try {
    return await loadTextToImage(await openBundle(folder), host, { provider: 'cpu' });
  } finally {
    await host.close();
  }
}

test('a byte order mark is read past at import and at load, in every JSON file', async () => {
  const from = copyOf('lib/demo-model/model');
  const files = [
    'model_index',
    'scheduler/scheduler_config',
    'unet/config',
    'vae/config',
    'text_encoder/config',
  ];
  for (const file of [...files, 'tokenizer/tokenizer_config', 'tokenizer/tokenizer'])
    writeFileSync(join(from, `${file}.json`), `\ufeff${readFileSync(join(from, `${file}.json`), 'utf8')}`);
  const to = join(scratch, 'marked');
  await importCheckpoint({ from, to });
  expect(readFileSync(join(to, 'unet/config.json'), 'utf8')).toMatch(/^\ufeff/);
  expect((await load(to)).decoders).toEqual(['vae']);
});

test('every file that the tokenizer reads is in the bundle', async () => {
  const from = copyOf('lib/demo-model/model');
  const own = JSON.parse(readFileSync(join(from, 'tokenizer/vocab.json'), 'utf8'));
  writeFileSync(
    join(from, 'tokenizer/added_tokens.json'),
    JSON.stringify({ '<|endoftext|>': own['<|endoftext|>'] }),
  );
  writeFileSync(join(from, 'tokenizer/special_tokens_map.json'), '{"pad_token": "!"}');
  const { files } = await importCheckpoint({ from, to: join(scratch, 'whole') });
  const names = ['added_tokens', 'merges', 'special_tokens_map', 'tokenizer', 'tokenizer_config', 'vocab'];
  const paths = files.map(({ path }) => path).filter((path) => path.startsWith('tokenizer/'));
  expect(paths.map((path) => path.replace(/^tokenizer\/|\.\w+$/g, '')).sort()).toEqual(names);
});

describe('a bundle of another exporter', () => {
  test('may have no config of the text encoder', async () => {
    const folder = foreignBundle({});
    unlinkSync(join(folder, 'text_encoder/config.json'));
    expect((await load(folder)).decoders).toContain('vae');
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      'a token without a row',
      { 'tokenizer/added_tokens.json': '{"<cat>": 1274}', 'tokenizer/tokenizer_config.json': '{}' },
      'UNSUPPORTED',
      /token "<cat>" has the id 1274, but .*text_encoder vocab_size is 1274/,
    ],
    [
      'more tokens than positions',
      { 'tokenizer/tokenizer_config.json': '{"model_max_length": 100}' },
      'UNSUPPORTED',
      /model_max_length is 100, but .*text_encoder max_position_embeddings is 77/,
    ],
    [
      'a pointer for a graph',
      { 'unet/model.onnx': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n' },
      'INVALID_FILE',
      /unet\/model.onnx is a Git LFS pointer.*git lfs pull/,
    ],
    [
      'a pointer for a config',
      { 'unet/config.json': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n' },
      'INVALID_FILE',
      /unet\/config.json is a Git LFS pointer/,
    ],
    [
      'a comment',
      { 'unet/config.json': '{} // none' },
      'INVALID_FILE',
      /config.json is not JSON: line 1 has a comment/,
    ],
  ])('with %s is refused before anything is loaded', async (_, files, code, message) => {
    await expect(load(foreignBundle(files))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
