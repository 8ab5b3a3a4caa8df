import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { ModelLoader, type ModelLoaderProps } from '../../lib/pipeline/model-loader.js';
import type { Exactness } from '../../lib/runtime/attention-kernels.js';
import { selfTestRecordSchema } from '../../lib/schemas/self-test.js';
import { selfTestInDirectory } from '../../lib/weights/bundle/write-self-test.js';
import { readSafetensorsHeader } from '../../lib/weights/checkpoint/safetensors-header.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';
import { until } from '../support/until.js';
import { openDirectory } from '../support/weights/open-directory.js';

const FAMILY = join(ROOT, 'test/fixtures/family');
const scratch = mkdtempSync(join(tmpdir(), 'first-start-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const host = startSessionHost();
afterAll(() => host.close());

const [sound, other, backwards] = ['sound', 'other', 'backwards'].map((name) => join(scratch, name)) as [
  string,
  string,
  string,
];
beforeAll(async () => {
  await importCheckpoint({ from: join(FAMILY, 'sharded/checkpoint'), to: sound });
  await importCheckpoint({ from: join(FAMILY, 'unusual/checkpoint'), to: other });
  // With a decoder that draws another picture, and is no other in size.
  cpSync(sound, backwards, { recursive: true });
  await turnAround(join(backwards, 'vae_decoder'), 'decoder.conv_out.weight');
});

/** Has the numbers of a tensor in the opposite order. */
async function turnAround(folder: string, name: string): Promise<void> {
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.safetensors'))) {
    const tensors = await readSafetensorsHeader(openDirectory(folder), file);
    const tensor = tensors.find((each) => each.name === name);
    if (!tensor) continue;
    const { offset, length, shape } = tensor;
    const size = length / shape.reduce((product, extent) => product * extent, 1);
    const bytes = readFileSync(join(folder, file));
    const before = Buffer.from(bytes.subarray(offset, offset + length));
    for (let at = 0; at < length; at += size) before.copy(bytes, offset + length - size - at, at, at + size);
    writeFileSync(join(folder, file), bytes);
  }
}

function copyOf(bundle: string, name: string): string {
  const folder = join(scratch, name);
  cpSync(bundle, folder, { recursive: true });
  return folder;
}

/** Starts with a bundle; `calls` is what happened in which order. */
async function start(
  folder: string,
  props: Partial<ModelLoaderProps> & { exact?: (how: string) => void } = {},
) {
  const calls: string[] = [];
  const say = (how: 'safer' | 'usual') => () => {
    calls.push(how);
    props.exact?.(how);
  };
  const exactness: Exactness = { useSafer: say('safer'), useUsual: say('usual') };
  const written = selfTestInDirectory(folder);
  let writes = 0;
  const loader = new ModelLoader({
    source: undefined,
    directory: folder,
    host,
    provider: 'cpu',
    exactness,
    onState: ({ state }) => calls.push(state),
    onTrouble: (what, error) => calls.push(`${what}: ${(error as Error).message}`),
    writeSelfTest: async (text) => {
      const done = await written(text);
      writes++;
      return done;
    },
    ...props,
  });
  const error = await loader.load(new AbortController().signal).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { calls, loader, error, wrote: () => until('it is written', () => writes === 1) };
}

const recordOf = (folder: string) =>
  selfTestRecordSchema.parse(JSON.parse(readFileSync(join(folder, 'self-test.json'), 'utf8')));

describe('the first start with a bundle that has no picture', () => {
  test('draws it as exactly as can be, then as usual, and records it; the second compares', async () => {
    const folder = copyOf(sound, 'fresh');
    const first = await start(folder);
    expect(first.calls).toEqual(['safer', 'loading', 'warming', 'usual', 'loading', 'warming', 'ready']);
    await first.wrote();
    const { self_test } = recordOf(folder);
    expect((await openBundle(folder)).selfTest).toEqual(self_test);
    const second = await start(folder);
    expect(second.calls).toEqual(['usual', 'loading', 'warming', 'ready']);

    // Other weights under the same manifest: whatever draws another picture now is not taken.
    cpSync(join(backwards, 'vae_decoder'), join(folder, 'vae_decoder'), { recursive: true });
    const { error, calls } = await start(folder);
    expect(error).toMatchObject({ code: 'BAD_NUMBERS' });
    expect(calls.at(-1)).toBe('failed');
  });

  test('draws once where there is one way to compute', async () => {
    const folder = copyOf(sound, 'cpu');
    const { calls, wrote } = await start(folder, { exactness: undefined });
    expect(calls).toEqual(['loading', 'warming', 'ready']);
    await wrote();
    expect(recordOf(folder).self_test).toHaveProperty('vae');
  });

  test('goes on with the exact one where both differ, and records neither', async () => {
    const folder = copyOf(sound, 'differs');
    // What computes as usual draws another picture: here, by a decoder with other weights.
    const exact = (how: string) =>
      cpSync(join(how === 'usual' ? backwards : sound, 'vae_decoder'), join(folder, 'vae_decoder'), {
        recursive: true,
      });
    const { calls, loader } = await start(folder, { exact });
    expect(calls).toEqual([
      ...['safer', 'loading', 'warming', 'usual', 'loading', 'warming'],
      expect.stringMatching(
        /^the self-test failed, .* float32 .*: the picture's .*: the self-test with the decoder vae failed/,
      ),
      ...['safer', 'loading', 'warming', 'ready'],
    ]);
    expect(loader.pipeline).toBeDefined();
    expect(existsSync(join(folder, 'self-test.json'))).toBe(false);
  });

  test('that may not write says so, and goes on', async () => {
    const folder = copyOf(sound, 'refused');
    const { calls, loader } = await start(folder, {
      writeSelfTest: async () => {
        throw new Error('access denied');
      },
    });
    expect(loader.status.state).toBe('ready');
    await until('it is told', () => calls.some((call) => /cannot be recorded.*: access denied/.test(call)));
  });
});

describe('a record', () => {
  test('of the bundle that was there before is not compared with', async () => {
    const folder = copyOf(sound, 'replaced');
    const first = await start(folder, { exactness: undefined });
    await first.wrote();
    for (const part of ['unet', 'vae_decoder', 'text_encoder', 'manifest.json'])
      cpSync(join(other, part), join(folder, part), { recursive: true });
    expect((await openBundle(folder)).selfTest).toEqual({});
    // Nothing is replaced that somebody else may have written.
    const { bundle } = recordOf(folder);
    const second = await start(folder, { exactness: undefined });
    expect(second.error).toBeUndefined();
    await until('it is told', () =>
      second.calls.some((call) => /self-test\.json is there already/.test(call)),
    );
    expect(recordOf(folder).bundle).toBe(bundle);
  });

  test('goes with a copy of its bundle, into the manifest, and away with what replaces it', async () => {
    const folder = copyOf(sound, 'copied');
    await (await start(folder, { exactness: undefined })).wrote();
    const to = join(scratch, 'copy');
    const manifest = await importCheckpoint({ from: folder, to });
    expect(manifest.self_test).toEqual(recordOf(folder).self_test);
    expect(existsSync(join(to, 'self-test.json'))).toBe(false);
    await importCheckpoint({ from: other, to: folder });
    expect(existsSync(join(folder, 'self-test.json'))).toBe(false);
  });

  test.each([
    ['no JSON', '{"format"', /self-test\.json/],
    [
      'of no such form',
      '{"format":"sd-turbo-self-test","version":2}',
      /self-test\.json: version: .*delete it/,
    ],
    ['too long', ' '.repeat(100_000), /self-test\.json is longer than 16384 bytes/],
  ])('that is %s is named', async (_, text, words) => {
    const folder = copyOf(sound, `damaged-${performance.now()}`);
    writeFileSync(join(folder, 'self-test.json'), text);
    await expect(openBundle(folder)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(words),
    });
    const { error, loader } = await start(folder);
    expect([error, loader.status.state]).toEqual([
      expect.objectContaining({ code: 'INVALID_FILE' }),
      'failed',
    ]);
  });
});
