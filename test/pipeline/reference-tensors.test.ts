import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../lib/export/checkpoint.js';
import type { FeatureMap } from '../../lib/export/dialects/operators.js';
import { StandardOperators } from '../../lib/export/dialects/standard-operators.js';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { renameVaeTensor } from '../../lib/export/networks/vae-blocks.js';
import { describeVaeDecoder } from '../../lib/export/networks/vae-decoder.js';
import { WeightPlan } from '../../lib/export/rewrite/weight-plan.js';
import { WeightStore } from '../../lib/export/weight-scope.js';
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

    test('UNet, at every step', async () => {
      const network = await load('unet');
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
    });

    test.skipIf(!tensors.has('decoded'))('VAE decoder, before its pixels are finished', async () => {
      const { vae, unet } = await openCheckpoint(openDirectory(checkpoint));
      await ready;
      const graph = new GraphBuilder('vae_decoder');
      const store = new WeightStore('vae', vae.weights, renameVaeTensor);
      describeVaeDecoder(
        // The sums are laid out as the bundle has them.
        new FloatOutput(graph, 'float32', new WeightPlan('summed.bin')),
        store.root(),
        vae.config,
        unet.config.sample_size,
      );
      const path = join(bundle, 'vae_decoder/float.onnx');
      writeFileSync(path, encodeModel(graph.build()));
      const network = await load('vae', path);

      const latents = tensor(`step${steps - 1}.latents`);
      const { decoders } = await openBundle(bundle);
      const scalingFactor = decoders.get('vae')?.scalingFactor as number;
      const values = (latents.data as Float32Array).map((value) => value / scalingFactor);
      const { output } = await network.run({ latent_sample: { values, dims: latents.shape } }, 'image');
      expect(relativeDifference(toFloats(output), tensor('decoded'))).toBeLessThan(TOLERANCE);
    });
  },
);
