import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Checkpoint, openCheckpoint } from '../../lib/export/checkpoint.js';
import type { FeatureMap } from '../../lib/export/dialects/operators.js';
import { StandardOperators } from '../../lib/export/dialects/standard-operators.js';
import { WINOGRAD_LIMITS, type WinogradLimits } from '../../lib/export/dialects/winograd-convolution.js';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { describeUnet } from '../../lib/export/networks/unet.js';
import { renameVaeTensor } from '../../lib/export/networks/vae-blocks.js';
import { describeVaeDecoder } from '../../lib/export/networks/vae-decoder.js';
import { WeightPlan } from '../../lib/export/rewrite/weight-plan.js';
import { type WeightScope, WeightStore } from '../../lib/export/weight-scope.js';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import { GraphBuilder } from '../../lib/onnx/graph-builder.js';
import { graphPath, type NetworkName, openBundle } from '../../lib/pipeline/bundle.js';
import { Network } from '../../lib/pipeline/network.js';
import { toFloats } from '../../lib/runtime/tensor.js';
import { readSafetensors, type TestTensor } from '../support/graphs/read-safetensors.js';
import { relativeDifference } from '../support/graphs/relative-difference.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { hasReference, REFERENCE, ROOT } from '../support/reference.js';
import { openDirectory } from '../support/weights/open-directory.js';

const scratch = mkdtempSync(join(tmpdir(), 'tensors-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Of the largest magnitude in the tensor. Pixels hide a tanh in place of erf; this does not. */
const TOLERANCE = 1e-4;

/** The decoder's output as floats, [B, 3, H, W] as torch has it, before it becomes pixels. */
class FloatOutput extends StandardOperators {
  override outputPixels(name: string, x: FeatureMap): void {
    this.outputMap(name, x);
  }
}

const ALWAYS: readonly WinogradLimits[] = [{ channels: 1, tiles: 1 }];

const subjects = [
  {
    name: 'the demo model',
    checkpoint: join(ROOT, 'lib/demo-model/model'),
    expected: join(ROOT, 'test/fixtures/demo'),
  },
  ...['tiny-turbo', 'tiny-v1'].map((name) => ({
    name,
    checkpoint: join(REFERENCE, 'checkpoints', name),
    expected: join(REFERENCE, 'expected', name),
  })),
].slice(0, hasReference ? undefined : 1);

describe.each(subjects)(
  'every network of $name gives what diffusers gives',
  ({ name, checkpoint, expected }) => {
    const tensors = readSafetensors(join(expected, 'tensors.safetensors'));
    const tensor = (key: string) => tensors.get(key) as TestTensor;
    const feed = (key: string) => ({ values: tensor(key).data, dims: tensor(key).shape });
    const steps = [...tensors.keys()].filter((key) => key.endsWith('.model_output')).length;

    const host = startSessionHost();
    afterAll(() => host.close());
    const bundle = join(scratch, name);
    const ready = importCheckpoint({ from: checkpoint, to: bundle });
    const load = async (network: NetworkName, path = graphPath(bundle, network)) => {
      await ready;
      return new Network(host, network, await host.load(network, path, { provider: 'cpu' }));
    };

    test('text encoder', async () => {
      const network = await load('text_encoder');
      const { output } = await network.run({ input_ids: feed('input_ids') }, 'last_hidden_state');
      expect(relativeDifference(toFloats(output), tensor('last_hidden_state'))).toBeLessThan(TOLERANCE);
    });

    /** A graph of the checkpoint that the bundle has not: with floats in place of pixels, or other convolutions. */
    const loadDescribed = async (
      network: 'unet' | 'vae',
      winograd: readonly WinogradLimits[],
      describeNetwork: (ops: StandardOperators, root: WeightScope, opened: Checkpoint) => void,
    ) => {
      const opened = await openCheckpoint(openDirectory(checkpoint));
      await ready;
      const graph = new GraphBuilder(network);
      const store =
        network === 'vae'
          ? new WeightStore(network, opened.vae.weights, renameVaeTensor)
          : new WeightStore(network, opened.unet.weights);
      // The sums are laid out as the bundle has them.
      const plan = new WeightPlan('summed.bin');
      const operators = new FloatOutput(graph, { precision: 'float32', plan, winograd });
      describeNetwork(operators, store.root(), opened);
      const path = join(dirname(graphPath(bundle, network)), `winograd-${winograd.length}.onnx`);
      writeFileSync(path, encodeModel(graph.build()));
      return load(network, path);
    };

    const assertUnet = async (network: Network) => {
      for (let step = 0; step < steps; step++) {
        const timestep = { values: Float32Array.of(tensor('timesteps').data[step] as number), dims: [1] };
        const feeds = { sample: feed(`step${step}.model_input`), timestep };
        const { output } = await network.run(
          { ...feeds, encoder_hidden_states: feed('last_hidden_state') },
          'out_sample',
        );
        expect(relativeDifference(toFloats(output), tensor(`step${step}.model_output`))).toBeLessThan(
          TOLERANCE,
        );
      }
      expect(steps).toBeGreaterThan(0);
    };

    test('UNet, at every step', async () => assertUnet(await load('unet')));

    test('UNet, with every convolution by tiles that can be', async () =>
      assertUnet(
        await loadDescribed('unet', ALWAYS, (ops, root, { unet }) => describeUnet(ops, root, unet.config)),
      ));

    test.skipIf(!tensors.has('decoded')).each([
      { how: 'as it is', winograd: WINOGRAD_LIMITS },
      { how: 'with every convolution by tiles that can be', winograd: ALWAYS },
    ])('VAE decoder, before its pixels are finished, $how', async ({ winograd }) => {
      const network = await loadDescribed('vae', winograd, (ops, root, { vae, unet }) =>
        describeVaeDecoder(ops, root, vae.config, unet.config.sample_size),
      );
      const latents = tensor(`step${steps - 1}.latents`);
      const { decoders } = await openBundle(bundle);
      const scalingFactor = decoders.get('vae')?.scalingFactor as number;
      const values = (latents.data as Float32Array).map((value) => value / scalingFactor);
      const { output } = await network.run({ latent_sample: { values, dims: latents.shape } }, 'image');
      expect(relativeDifference(toFloats(output), tensor('decoded'))).toBeLessThan(TOLERANCE);
    });
  },
);
