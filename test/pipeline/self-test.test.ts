import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointApp } from '../../functions/endpoint/app.js';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import { type Bundle, openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { ModelLoader } from '../../lib/pipeline/model-loader.js';
import { assertTestPicture, summarise } from '../../lib/pipeline/self-test.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { warmUp } from '../../lib/pipeline/warm-up.js';
import { JobQueue } from '../../lib/runtime/job-queue.js';
import type { PictureSummary } from '../../lib/schemas/picture-summary.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import type { SelfTest } from '../../lib/schemas/self-test.js';
import { readGraph } from '../support/graphs/run-graph.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { modelWatch } from '../support/model-watch.js';
import { startImageDecoder } from '../support/pictures/image-decoder.js';
import { ROOT } from '../support/reference.js';
import { plantNumber } from '../support/weights/plant-number.js';

const FAMILY = join(ROOT, 'test/fixtures/family/sharded');
const scratch = mkdtempSync(join(tmpdir(), 'self-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const sound = join(scratch, 'sound');
const host = startSessionHost();
afterAll(() => host.close());
beforeAll(async () => {
  const [from, taesd] = [join(FAMILY, 'checkpoint'), join(FAMILY, 'checkpoint-taesd')];
  await importCheckpoint({ from, to: sound, taesd });
});

/** The weights of a network of a bundle, in a copy of it. */
function copyOf(name: string, part: string, from = sound): { folder: string; files: string[] } {
  const folder = join(scratch, name);
  cpSync(from, folder, { recursive: true });
  const files = readdirSync(join(folder, part)).filter((file) => file.endsWith('.safetensors'));
  return { folder, files: files.map((file) => join(folder, part, file)) };
}

/** A copy with what is no number in one tensor, in whichever file it is. */
async function planted(part: string, tensor: string): Promise<string> {
  const { folder, files } = copyOf(`${part}-${tensor}-${performance.now()}`, part);
  const tried = await Promise.allSettled(files.map((file) => plantNumber(file, tensor)));
  const failures = tried.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
  expect(failures.length, failures.join('\n')).toBe(files.length - 1);
  return folder;
}

/** Makes a bundle what an older exporter would have: its decoders do not tell the mean of their picture. */
function ofVersion1(folder: string): string {
  for (const part of ['vae_decoder', 'taesd_decoder']) {
    const path = join(folder, part, 'model.onnx');
    const graph = readGraph(path);
    const outputs = graph.outputs.filter(({ name }) => name === 'image');
    expect([graph.outputs.length, outputs.length]).toEqual([2, 1]);
    writeFileSync(path, encodeModel({ ...graph, outputs }));
  }
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, version: 1 }));
  return folder;
}

/** What a sound bundle draws. */
async function soundPictures(): Promise<SelfTest> {
  const pipeline = await loadTextToImage(await openBundle(sound), host, { provider: 'cpu' });
  return warmUp(pipeline);
}

/** Writes pictures into the manifest of a bundle. */
function record(folder: string, pictures: SelfTest): void {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, self_test: pictures }));
}

/** What the endpoint says of a bundle, and answers to a request, whether it should take one or not. */
async function endpoint(folder: string, body: object) {
  const loader = new ModelLoader({ source: undefined, directory: folder, host, provider: 'cpu' });
  const failure = await loader.load(new AbortController().signal).catch((error) => error);
  const app = endpointApp({
    pipeline: () => loader.pipeline,
    status: () => loader.status,
    decoder: startImageDecoder(),
    queue: new JobQueue(1),
    watch: modelWatch(),
    deadlineMilliseconds: 30_000,
  });
  const headers = { 'content-type': 'application/json' };
  const response = await app.request('/invocations', { method: 'POST', headers, body: JSON.stringify(body) });
  return { failure, status: loader.status, response };
}

describe('a number that is none, in the weights of', () => {
  test.each([
    ['text_encoder', 'final_layer_norm.weight', 'text_encoder'],
    ['unet', 'conv_in.weight', 'unet'],
    ['unet', 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight', 'unet'],
    ['vae_decoder', 'decoder.conv_in.weight', 'decoder'],
    // One channel of one colour: two thirds of the picture are as they should be.
    ['vae_decoder', 'decoder.conv_out.bias', 'decoder'],
    ['taesd_decoder', 'decoder.layers.0.weight', 'decoder'],
  ])('%s, %s: the endpoint never comes up', async (part, tensor, network) => {
    const { failure, status, response } = await endpoint(await planted(part, tensor), { prompt: 'a tree' });
    expect(failure).toMatchObject({ code: 'BAD_NUMBERS', retryable: false });
    expect(status).toMatchObject({
      state: 'failed',
      error: `the ${network} network gave NaN, of which no picture can be made`,
    });
    expect(response.status).toBe(503);
  });

  test.each([
    [
      'vae_decoder',
      'decoder.conv_out.bias',
      /^the picture's green is \d+ all over: the self-test .* vae failed$/,
    ],
    // The middle of the tensor: a corner of the kernel, which has nothing to work on at an edge.
    [
      'vae_decoder',
      'decoder.conv_out.weight',
      /^the picture's green is \d+ all over: the self-test .* vae failed$/,
    ],
    ['vae_decoder', 'decoder.conv_in.weight', /black picture|every pixel/],
    ['taesd_decoder', 'decoder.layers.0.weight', /"decoder.layers.0.weight" holds NaN/],
    // One colour of a last layer, whose picture may be clipped all over when it is sound.
    ['taesd_decoder', 'decoder.layers.6.bias', /"decoder.layers.6.bias" holds NaN/],
  ])(
    '%s, %s, of version 1, whose decoders give bytes alone: the endpoint never comes up',
    async (part, tensor, words) => {
      const { failure, status, response } = await endpoint(ofVersion1(await planted(part, tensor)), {
        prompt: 'a tree',
      });
      expect(failure).toMatchObject({ code: 'BAD_NUMBERS', retryable: false });
      expect([status.state, response.status]).toEqual(['failed', 503]);
      expect(status.error).toMatch(words);
    },
  );

  test('a sound bundle of version 1 draws', async () => {
    const { folder } = copyOf('version-1', 'unet');
    expect((await endpoint(ofVersion1(folder), { prompt: 'a tree' })).response.status).toBe(200);
  });

  test('an encoder, which no picture of noise needs: the endpoint never comes up', async () => {
    const { folder, files } = copyOf('encoder', 'vae_encoder', join(ROOT, 'lib/demo-model/bundle'));
    await plantNumber(files[0] as string, 'encoder.conv_out.weight');
    const { status } = await endpoint(folder, { prompt: 'a tree' });
    expect(status).toMatchObject({ state: 'failed', error: expect.stringContaining('vae_encoder network') });
  });

  test('one token: prompts that have it are answered 502, and told why', async () => {
    const folder = await planted('text_encoder', 'embeddings.token_embedding.weight');
    const vocabulary = JSON.parse(readFileSync(join(folder, 'tokenizer/vocab.json'), 'utf8'));
    // It is planted in the middle of the table.
    const row = Object.keys(vocabulary).length / 2;
    expect(vocabulary[',</w>']).toBe(row);
    expect((await endpoint(folder, { prompt: 'a tree' })).response.status).toBe(200);
    const { response } = await endpoint(folder, { prompt: 'a tree, a house' });
    expect(problemSchema.parse(await response.json())).toMatchObject({
      status: 502,
      title: 'Bad Gateway',
      detail: 'the text_encoder network gave NaN, of which no picture can be made',
    });
  });
});

describe('the picture', () => {
  const flat = (levels: readonly number[]) => {
    const pixels = 64 * 64;
    return {
      width: 64,
      height: 64,
      data: Uint8Array.from({ length: 3 * pixels }, (_, at) => levels[at % 3] as number),
    };
  };
  const about = (selfTest: Bundle['selfTest'], precision: Bundle['precision'] = 'float32') =>
    ({ bundle: { selfTest, precision }, provider: 'cpu' }) as unknown as TextToImage;

  test('is small in the manifest, and the same for the same picture', () => {
    const picture = {
      ...flat([0, 0, 0]),
      data: Uint8Array.from({ length: 3 * 64 * 64 }, (_, at) => at % 251),
    };
    const summary = summarise(picture);
    expect(summary.mean).toBeCloseTo(125, 0);
    expect(summary.spread).toBeCloseTo(251 / Math.sqrt(12), 0);
    expect(summary.thumbnail).toHaveLength(2 * 3 * 64);
    expect(() => assertTestPicture(picture, about({ vae: summary }), 'vae')).not.toThrow();
  });

  test('of one colour is none, unless it was recorded so', () => {
    for (const black of [flat([0, 0, 0]), flat([9, 0, 255])]) {
      expect(() => assertTestPicture(black, about({}), 'vae')).toThrow(
        /^every pixel .*: the self-test .* vae failed$/,
      );
      expect(() => assertTestPicture(black, about({ vae: summarise(black) }), 'vae')).not.toThrow();
    }
  });

  test.each([
    ['mean', { mean: 120 }],
    ['spread', { spread: 60 }],
    ['thumbnail', { thumbnail: 'ff'.repeat(192) }],
  ])('that has another %s is another', (name, change) => {
    const picture = {
      ...flat([0, 0, 0]),
      data: Uint8Array.from({ length: 3 * 64 * 64 }, (_, at) => at % 100),
    };
    const expected: PictureSummary = { ...summarise(picture), ...change };
    for (const precision of ['float32', 'float16'] as const)
      expect(() => assertTestPicture(picture, about({ vae: expected }, precision), 'vae')).toThrow(name);
  });

  test('may be off by what float16 rounds, where it rounds', () => {
    const picture = {
      ...flat([0, 0, 0]),
      data: Uint8Array.from({ length: 3 * 64 * 64 }, (_, at) => at % 100),
    };
    const shifted = (by: number) => ({ ...picture, data: picture.data.map((level) => level + by) });
    const expected = { vae: summarise(picture) };
    expect(() => assertTestPicture(shifted(3), about(expected, 'float16'), 'vae')).not.toThrow();
    expect(() => assertTestPicture(shifted(5), about(expected, 'float16'), 'vae')).toThrow('mean');
    expect(() => assertTestPicture(shifted(3), about(expected, 'float32'), 'vae')).toThrow('mean');
  });

  test('is compared with the one of the manifest at every start', async () => {
    const folder = join(scratch, 'recorded');
    cpSync(sound, folder, { recursive: true });
    const recorded = (await soundPictures()).vae as PictureSummary;
    const load = (summary: PictureSummary) => {
      record(folder, { vae: summary });
      return endpoint(folder, { prompt: 'a tree' });
    };
    expect((await load(recorded)).response.status).toBe(200);
    const { status, response } = await load({ ...recorded, mean: recorded.mean + 30 });
    expect([status.state, response.status]).toEqual(['failed', 503]);
    expect(status.error).toMatch(/^the picture's mean is .*: the self-test with the decoder vae failed$/);
  });
});

describe('a failed self-test', () => {
  async function load(repairs: boolean) {
    const folder = await planted('unet', 'conv_out.bias');
    record(folder, await soundPictures());
    const failures: string[] = [];
    const states: string[] = [];
    const loader = new ModelLoader({
      source: undefined,
      directory: folder,
      host,
      provider: 'cpu',
      exactness: {
        useUsual: () => undefined,
        useSafer: () => repairs && cpSync(join(sound, 'unet'), join(folder, 'unet'), { recursive: true }),
      },
      onTrouble: (_, error) => failures.push((error as Error).message),
      onState: ({ state }) => states.push(state),
    });
    const error = await loader.load(new AbortController().signal).then(
      () => undefined,
      (reason: Error) => reason,
    );
    rmSync(folder, { recursive: true });
    return { error, failures, states, loader };
  }

  test('is tried again with what computes more exactly, sessions loaded anew', async () => {
    const { error, failures, states, loader } = await load(true);
    expect(error).toBeUndefined();
    expect(failures).toEqual([expect.stringContaining('unet network gave NaN')]);
    expect(states).toEqual(['loading', 'warming', 'loading', 'warming', 'ready']);
    expect(loader.status.error).toBeUndefined();
  });

  test('twice is the end', async () => {
    const { error, failures, states } = await load(false);
    expect(error).toMatchObject({ code: 'BAD_NUMBERS' });
    expect(failures).toHaveLength(1);
    expect(states.at(-1)).toBe('failed');
  });
});
