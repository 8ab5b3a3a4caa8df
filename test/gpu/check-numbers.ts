import { join } from 'node:path';
import {
  decoderConfig,
  graphPath,
  type NetworkName,
  openBundle,
  readScheduler,
} from '../../lib/pipeline/bundle.js';
import { type Feed, Network } from '../../lib/pipeline/network.js';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import { halfToFloat } from '../../lib/runtime/half.js';
import type { SessionHost } from '../../lib/runtime/session-host.js';
import type { Provider } from '../../lib/runtime/session-messages.js';
import { ClipTokenizer } from '../../lib/tokenizer/clip-tokenizer.js';
import { lowerContrib } from '../support/graphs/lower-contrib.js';
import { readGraph, runGraph } from '../support/graphs/run-graph.js';

const PROMPT = 'a red house in the snow at sunset';

/**
 * Parts of the float32 result's size. Float16 rounds each of some hundred results in a row by up to 5e-4; a kernel that
 * does something else is off by far more, and what is less is for test/export/cuda, where nothing is rounded.
 */
const LEAST_ALLOWANCE = 1e-2;
/** The fused operators round at other places than the plain ones: more often at some, less often at others. */
const ALLOWED_FACTOR = 2;

/** Bundles of one checkpoint. */
export interface Bundles {
  readonly float32: string;
  readonly float16: string;
  readonly cuda: string;
}

/** Root mean squares of differences, in parts of the float32 result's. */
export interface NetworkError {
  readonly network: NetworkName;
  readonly float16: number;
  readonly cuda: number;
  readonly allowed: number;
}

/** How a bundle's network is run: in a session, or (where there is no GPU) lowered to what the CPU has. */
export type Runner = (
  bundle: string,
  network: NetworkName,
  feeds: Readonly<Record<string, Feed>>,
) => Promise<Float32Array>;

const OUTPUTS: Readonly<Record<NetworkName, string>> = {
  text_encoder: 'last_hidden_state',
  unet: 'out_sample',
  vae: 'image',
  taesd: 'image',
  vae_encoder: 'latent_parameters',
};

/** One session at a time, so that the device needs memory for one network. */
export function sessionRunner(host: SessionHost, provider: Provider): Runner {
  return async (folder, network, feeds) => {
    const { dialect } = await openBundle(folder);
    const options = { provider, asIs: dialect === 'cuda' };
    const signature = await host.load('checked', graphPath(folder, network), options);
    const { output } = await new Network(host, 'checked', signature).run(feeds, OUTPUTS[network]);
    return numbersOf(output.data);
  };
}

/** The graph in ONNX's own operators on the CPU, each result rounded to float16. */
export const loweredRunner: Runner = async (folder, network, feeds) => {
  const path = graphPath(folder, network);
  const graph = lowerContrib(readGraph(path), { rounds: true });
  const tensors = Object.entries(feeds).map(
    ([name, { values, dims }]) => [name, { data: values, dims }] as const,
  );
  const { data } = await runGraph(graph, path, Object.fromEntries(tensors));
  return numbersOf(data as Float32Array);
};

/** Runs each network of the three bundles on what the float32 one before it gives. */
export async function checkNumbers(
  bundles: Bundles,
  run: Runner,
  runCuda: Runner = run,
): Promise<NetworkError[]> {
  const errors: NetworkError[] = [];
  const bundle = await openBundle(bundles.float32);
  const scheduler = await readScheduler(bundles.float32);
  const schedule = scheduler.schedule(1);
  const tokenizer = await ClipTokenizer.load(join(bundles.float32, 'tokenizer'));

  const check = async (
    network: NetworkName,
    feeds: Readonly<Record<string, Feed>>,
  ): Promise<Float32Array> => {
    const exact = await run(bundles.float32, network, feeds);
    const float16 = distance(await run(bundles.float16, network, feeds), exact);
    const cuda = distance(await runCuda(bundles.cuda, network, feeds), exact);
    const allowed = Math.max(LEAST_ALLOWANCE, ALLOWED_FACTOR * float16);
    errors.push({ network, float16, cuda, allowed });
    return exact;
  };

  const { inputIds } = tokenizer.encode(PROMPT);
  const text = await check('text_encoder', { input_ids: { values: inputIds, dims: [1, inputIds.length] } });
  const dims = [1, ...bundle.latentShape];
  const size = dims.reduce((product, extent) => product * extent, 1);
  const noise = new TorchGenerator(0).randn(size).map((value) => value * schedule.initNoiseSigma);
  const predicted = await check('unet', {
    sample: { values: scheduler.scaleModelInput(noise, schedule, 0), dims },
    timestep: { values: Float32Array.of(schedule.timesteps[0] as number), dims: [1] },
    encoder_hidden_states: { values: text, dims: [1, inputIds.length, text.length / inputIds.length] },
  });
  const latents = scheduler.step(predicted, noise, schedule, 0);
  for (const decoder of bundle.decoders.keys()) {
    const { scalingFactor } = decoderConfig(bundle, decoder);
    await check(decoder, { latent_sample: { values: latents.map((value) => value / scalingFactor), dims } });
  }
  return errors;
}

function numbersOf(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array) return Float32Array.from(data, halfToFloat);
  if (data instanceof Uint8Array) return Float32Array.from(data);
  throw new Error('a network gives neither floats nor bytes');
}

function distance(got: Float32Array, exact: Float32Array): number {
  if (got.length !== exact.length) throw new Error(`${got.length} numbers, not ${exact.length}`);
  let [difference, size] = [0, 0];
  for (const [index, value] of exact.entries()) {
    difference += ((got[index] as number) - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}
