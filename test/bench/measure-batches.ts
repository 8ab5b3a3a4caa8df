import { decoderConfig, graphPath, openBundle } from '../../lib/pipeline/bundle.js';
import { type Feed, Network } from '../../lib/pipeline/network.js';
import { TorchGenerator } from '../../lib/random/torch-generator.js';
import type { SessionHost } from '../../lib/runtime/session-host.js';
import type { LoadOptions } from '../../lib/runtime/session-messages.js';
import type { Decoder } from '../../lib/schemas/request.js';
import { median } from './take-turns.js';

const SIZES = [1, 2, 3, 4] as const;
const TIMESTEP = 999;
const TOKENS = 77;

/** Medians, milliseconds for each picture of the run. */
export interface BatchTimes {
  readonly network: 'unet' | Decoder;
  readonly pictures: number;
  /** In a run after one with another number of pictures. */
  readonly changed: number;
  /** In a run after one with the same number. */
  readonly repeated: number;
}

/** Runs UNet and decoders with one to four pictures at once, each number twice in a row in every turn. */
export async function measureBatches(
  folder: string,
  host: SessionHost,
  options: LoadOptions,
  turns: number,
): Promise<BatchTimes[]> {
  const bundle = await openBundle(folder);
  const measured: BatchTimes[] = [];
  for (const name of ['unet', ...bundle.decoders.keys()] as const) {
    const asIs = bundle.dialect === 'cuda';
    const signature = await host.load('measured', graphPath(folder, name), { asIs, ...options });
    const network = new Network(host, 'measured', signature);
    const textWidth = signature.inputs.find((input) => input.name === 'encoder_hidden_states')?.shape[2];
    const feedsOf = (pictures: number): Record<string, Feed> => {
      const random = (...dims: number[]): Feed => ({
        dims,
        values: new TorchGenerator(0).randn(dims.reduce((product, extent) => product * extent, 1)),
      });
      const latents = random(pictures, ...bundle.latentShape);
      if (name !== 'unet') {
        const { scalingFactor } = decoderConfig(bundle, name);
        return {
          latent_sample: { ...latents, values: latents.values.map((value) => value / scalingFactor) },
        };
      }
      return {
        sample: latents,
        timestep: { dims: [pictures], values: new Float32Array(pictures).fill(TIMESTEP) },
        encoder_hidden_states: random(pictures, TOKENS, textWidth as number),
      };
    };
    const run = async (pictures: number) => {
      const { milliseconds } = await network.run(feedsOf(pictures), 'out_sample', 'image', 'sample');
      return milliseconds / pictures;
    };
    await run(SIZES.at(-1) as number);
    const times = SIZES.map((pictures) => ({ pictures, changed: [] as number[], repeated: [] as number[] }));
    for (let turn = 0; turn < turns; turn++) {
      for (const { pictures, changed, repeated } of times) {
        changed.push(await run(pictures));
        repeated.push(await run(pictures));
      }
    }
    for (const { pictures, changed, repeated } of times)
      measured.push({ network: name, pictures, changed: median(changed), repeated: median(repeated) });
  }
  return measured;
}

/** The rows of a Markdown table. */
export function batchRows(measured: readonly BatchTimes[]): string[][] {
  return [
    ['network', 'pictures in one run', 'ms each, after another number', 'ms each, again', 'of one at a time'],
    ...measured.map(({ network, pictures, changed, repeated }) => {
      const single = measured.find((each) => each.network === network && each.pictures === 1) as BatchTimes;
      return [
        network,
        `${pictures}`,
        changed.toFixed(1),
        repeated.toFixed(1),
        (repeated / single.repeated).toFixed(2),
      ];
    }),
  ];
}
