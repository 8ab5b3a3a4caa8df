import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { taesdConfigSchema } from '../../../lib/export/configs/taesd-config.js';
import { textEncoderConfigSchema } from '../../../lib/export/configs/text-encoder-config.js';
import { unetConfigSchema } from '../../../lib/export/configs/unet-config.js';
import { vaeConfigSchema } from '../../../lib/export/configs/vae-config.js';
import { importCheckpoint } from '../../../lib/export/import-checkpoint.js';
import { describeClipTextEncoder } from '../../../lib/export/networks/clip-text-encoder.js';
import { describeTaesdDecoder } from '../../../lib/export/networks/taesd-decoder.js';
import { describeUnet } from '../../../lib/export/networks/unet.js';
import { describeVaeDecoder } from '../../../lib/export/networks/vae-decoder.js';
import { encodeModel } from '../../../lib/onnx/encode-model.js';
import { TAESD, TEXT_ENCODER, UNET, VAE } from '../../bench/checkpoint/sd-turbo-configs.js';
import { lowerContrib } from '../../support/graphs/lower-contrib.js';
import { countOperators, type Describe, describeCuda } from '../../support/graphs/make-network.js';
import { readGraph } from '../../support/graphs/run-graph.js';
import { findPython } from '../../support/processes/python.js';
import { ROOT } from '../../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'checker-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const networks: Record<string, Describe> = {
  text_encoder: (ops, root) =>
    describeClipTextEncoder(ops, root, textEncoderConfigSchema.parse(TEXT_ENCODER)),
  unet: (ops, root) => describeUnet(ops, root, unetConfigSchema.parse(UNET)),
  // What fits no kernel, all at once.
  odd_unet: (ops, root) =>
    describeUnet(
      ops,
      root,
      unetConfigSchema.parse({
        ...UNET,
        sample_size: [10, 14],
        block_out_channels: [96, 60],
        norm_num_groups: 12,
        attention_head_dim: [3, 2],
        down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
        up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
        act_fn: 'mish',
        downsample_padding: 0,
        resnet_time_scale_shift: 'scale_shift',
        center_input_sample: true,
        use_linear_projection: false,
        upcast_attention: true,
      }),
    ),
  vae_decoder: (ops, root) => describeVaeDecoder(ops, root, vaeConfigSchema.parse(VAE), [64, 64]),
  taesd_decoder: (ops, root) => describeTaesdDecoder(ops, root, taesdConfigSchema.parse(TAESD), [64, 64]),
};

/**
 * ONNX's own operators that have a CUDA kernel for float16 (or, after a cast, float32) at operator set 20, from the
 * section on CUDAExecutionProvider in docs/OperatorKernels.md of microsoft/onnxruntime, and those of com.microsoft there.
 */
const CUDA_KERNELS = new Set([
  ...['Add', 'Cast', 'Clip', 'Concat', 'Cos', 'Div', 'Gather', 'Gelu', 'LayerNormalization', 'Mul', 'Pad'],
  ...['ReduceMean', 'Relu', 'Reshape', 'Resize', 'Round', 'Sin', 'Slice', 'Softplus', 'Split', 'Sqrt', 'Sub'],
  ...['Tanh'],
  ...['BiasAdd', 'BiasGelu', 'BiasSplitGelu', 'FusedMatMul', 'GroupNorm', 'MultiHeadAttention', 'NhwcConv'],
  ...['QuickGelu', 'SkipGroupNorm', 'SkipLayerNormalization'],
]);

/** The graph and what it is lowered to, beside a file of zeros that takes no room: both look at shapes only. */
function write(name: string, describe: Describe): string[] {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const { graph, plan } = describeCuda(describe);
  writeFileSync(join(folder, plan.file), '');
  truncateSync(join(folder, plan.file), plan.size);
  return [
    ['model', graph] as const,
    ['lowered', lowerContrib(graph)] as const,
    ['rounded', lowerContrib(graph, { rounds: true })] as const,
  ].map(([kind, each]) => {
    const path = join(folder, `${kind}.onnx`);
    writeFileSync(path, encodeModel(each));
    return path;
  });
}

const python = findPython('onnx');
if (!python)
  console.log(
    'skipped: no Python with onnx (pip install -r test/python/requirements.txt brings it to .venv)',
  );

test.skipIf(!python)("ONNX's own checker takes an imported bundle as it lies there", async () => {
  const to = join(scratch, 'standard');
  await importCheckpoint({ from: join(ROOT, 'lib/demo-model/model'), to });
  const graphs = ['text_encoder', 'unet', 'vae_decoder'].map((part) => join(to, part, 'model.onnx'));
  const script = join(ROOT, 'test/python/check_models.py');
  const { status, stdout, stderr } = spawnSync(python as string, [script, ...graphs], { encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/^(.* nodes, .*\n){3}$/);
  expect(status).toBe(0);
});

describe.each(Object.entries(networks))('%s', (name, network) => {
  const paths = write(name, network);

  test('every operator has a CUDA kernel', () => {
    const operators = Object.keys(countOperators(readGraph(paths[0] as string)));
    expect(operators.filter((operator) => !CUDA_KERNELS.has(operator))).toEqual([]);
  });

  test.skipIf(!python)("ONNX's own checker finds nothing", () => {
    const script = join(ROOT, 'test/python/check_models.py');
    const { status, stdout, stderr } = spawnSync(python as string, [script, ...paths], { encoding: 'utf8' });
    expect(stdout + stderr).toMatch(/^(.* nodes, .*\n){3}$/);
    expect(status).toBe(0);
  });

  // Types, attributes and shapes are checked before kernels are looked for: without a GPU one of those must be missing.
  // For the text encoder none is, until it runs.
  if (name !== 'text_encoder')
    test("ONNX Runtime's schemas take it", async () => {
      const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 } as const;
      await expect(ort.InferenceSession.create(paths[0] as string, options)).rejects.toThrow(
        /^Failed to find kernel for com\.microsoft\.(NhwcConv|GroupNorm|SkipGroupNorm|BiasAdd|BiasSplitGelu)\(1\)/,
      );
    });
});
