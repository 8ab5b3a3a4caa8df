import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../../lib/export/import-checkpoint.js';
import type { Graph } from '../../../lib/onnx/model.js';
import { TorchGenerator } from '../../../lib/random/torch-generator.js';
import { lowerContrib } from '../../support/graphs/lower-contrib.js';
import { readSafetensors, type TestTensor } from '../../support/graphs/read-safetensors.js';
import { relativeDifference } from '../../support/graphs/relative-difference.js';
import { type Feed, readGraph, runToFloats } from '../../support/graphs/run-graph.js';
import { hasReference, REFERENCE, ROOT } from '../../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'cuda-networks-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const FAMILY = join(ROOT, 'test/fixtures/family');
const PARTS = ['text_encoder', 'unet', 'vae_decoder', 'taesd_decoder'] as const;

/**
 * The largest differences, in parts of the largest magnitude, as they were measured on x86-64 with onnxruntime-node 1.30:
 *
 * 1. of the graph in float32, where only weights are rounded, from the dialect `standard` in float32;
 * 2. with every value rounded to float16 that is float16 in the graph, from the same;
 * 3. the latter from the dialect `standard` in float16, whose arithmetic is float32 on a CPU.
 *
 * The UNet of tiny-turbo multiplies what it is given: PyTorch's own float16 (diffusers 0.42 on the same input, CPU) is
 * 0.070 from its float32. The weights of tiny-v1 are float32, which shows in the first column; so
 * do sums of kernels behind an upsampling, which are rounded to float16 once.
 */
const MEASURED: Record<string, Partial<Record<(typeof PARTS)[number], readonly number[]>>> = {
  demo: {
    text_encoder: [2.5e-7, 0.0012, 0.001],
    unet: [1.8e-5, 0.0022, 0.0023],
    vae_decoder: [1.8e-4, 0.0022, 0.0024],
  },
  unusual: {
    text_encoder: [1.6e-7, 0.0014, 0.0014],
    unet: [1.2e-4, 0.0015, 0.0015],
    vae_decoder: [3.1e-4, 0.0014, 0.0018],
  },
  sharded: {
    text_encoder: [1.4e-7, 0.0026, 0.0026],
    unet: [9.3e-6, 0.02, 0.019],
    vae_decoder: [2.1e-4, 0.0023, 0.0022],
    taesd_decoder: [1.5e-4, 0.0011, 0.0011],
  },
  'tiny-turbo': {
    text_encoder: [7.7e-7, 0.003, 0.003],
    unet: [6.8e-4, 0.049, 0.05],
    vae_decoder: [5.2e-4, 0.0031, 0.0031],
    taesd_decoder: [2.6e-4, 9.3e-4, 9.3e-4],
  },
  'tiny-v1': {
    text_encoder: [0.0028, 0.0035, 0.0024],
    unet: [0.0038, 0.0071, 0.0067],
    vae_decoder: [0.0011, 0.0033, 0.0038],
  },
};

/** Kernels add up in another order on other processors, which float32 shows below this. */
const FLOAT32_NOISE = 5e-6;
const MARGIN = 2;

interface Subject {
  readonly name: string;
  readonly from: string;
  /** Where `tensors.safetensors` has the input of a step of the UNet. */
  readonly expected?: string;
}

const reference = ['tiny-turbo', 'tiny-v1'].map((name) => ({
  name,
  from: join(REFERENCE, 'checkpoints', name),
  expected: join(REFERENCE, 'expected', name),
}));
const subjects: Subject[] = [
  { name: 'demo', from: smallDemo() },
  { name: 'unusual', from: join(FAMILY, 'unusual/checkpoint'), expected: join(FAMILY, 'unusual/expected') },
  { name: 'sharded', from: join(FAMILY, 'sharded/checkpoint'), expected: join(FAMILY, 'sharded/expected') },
  ...(hasReference ? reference : []),
];

describe.each(subjects)('$name', ({ name, from, expected }) => {
  const taesd = existsSync(`${from}-taesd`) ? `${from}-taesd` : undefined;
  const bundles = Promise.all(
    (['float32', 'float16', 'cuda'] as const).map(async (kind) => {
      const to = join(scratch, `${name}-${kind}`);
      const options = kind === 'cuda' ? { dialect: kind } : { precision: kind };
      await importCheckpoint({ from, to, taesd, ...options });
      return to;
    }),
  );
  const tensors = expected ? readSafetensors(join(expected, 'tensors.safetensors')) : undefined;

  test.each(PARTS.filter((part) => taesd || part !== 'taesd_decoder'))('%s', async (part) => {
    const paths = (await bundles).map((bundle) => join(bundle, part, 'model.onnx'));
    const [float32, float16, cuda] = paths as [string, string, string];
    const feeds = feedsOf(part, readGraph(float32), tensors);
    const standard = (path: string) => runToFloats(readGraph(path), path, feeds);
    const lowered = (rounds: boolean) => runToFloats(lowerContrib(readGraph(cuda), { rounds }), cuda, feeds);
    const [truth, half] = [await standard(float32), await standard(float16)];
    const rounded = await lowered(true);
    const pairs = [
      [await lowered(false), truth] as const,
      [rounded, truth] as const,
      [rounded, half] as const,
    ];
    const differences = pairs.map(([got, data]) =>
      relativeDifference(got, { dtype: 'F32', shape: [data.length], data }),
    );
    for (const [index, difference] of differences.entries())
      expect(difference).toBeLessThan(
        MARGIN * Math.max(FLOAT32_NOISE, MEASURED[name]?.[part]?.[index] as number),
      );
  });
});

/** The demo model with latents of 16 x 16: its networks take any, and 64 x 64 takes long without a fused kernel. */
function smallDemo(): string {
  const folder = join(scratch, 'demo');
  cpSync(join(ROOT, 'lib/demo-model/model'), folder, { recursive: true });
  const path = join(folder, 'unet/config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), sample_size: 16 }));
  return folder;
}

/** What diffusers fed at the first step where that is known, else noise. */
function feedsOf(
  part: string,
  { inputs }: Graph,
  tensors: ReadonlyMap<string, TestTensor> | undefined,
): Record<string, Feed> {
  const known: Record<string, TestTensor | undefined> =
    part === 'unet' && tensors
      ? {
          sample: tensors.get('step0.model_input') ?? tensors.get('model_input'),
          encoder_hidden_states: tensors.get('last_hidden_state'),
        }
      : {};
  const feeds = inputs.map(({ name, shape }): [string, Feed] => {
    const tensor = known[name];
    if (tensor) return [name, { data: tensor.data, dims: tensor.shape }];
    const dims = shape.map((extent) => (typeof extent === 'number' ? extent : 1));
    const size = dims.reduce((product, extent) => product * extent, 1);
    if (name === 'timestep') return [name, { data: Float32Array.of(999), dims }];
    if (name === 'input_ids')
      return [name, { data: Int32Array.from({ length: size }, (_, at) => at * 6), dims }];
    return [name, { data: new TorchGenerator(1).randn(Math.max(16, size)).slice(0, size), dims }];
  });
  return Object.fromEntries(feeds);
}
