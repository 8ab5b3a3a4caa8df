import { encodeImage } from '../../image/encode-image.js';
import type { TextToImage } from '../../pipeline/text-to-image.js';
import { warmUp } from '../../pipeline/warm-up.js';
import type { Decoder } from '../../schemas/request.js';
import {
  type LoadTimes,
  type LocalPipelineProps,
  openLocalBundle,
  withLocalPipeline,
} from '../draw/local-pipeline.js';
import type { Progress } from '../progress.js';

const PROMPT = 'A tree in a field under the night sky';

/** Milliseconds of one warm picture; `other` is all that is neither in a network nor in the PNG. */
export interface PictureTimes {
  readonly text_encoder: number;
  readonly unet: number;
  readonly decoder: number;
  readonly encode: number;
  readonly other: number;
  readonly total: number;
}

/** Milliseconds from the start of this process to its first picture: `start` until the command runs, then the load. */
export interface ColdTimes extends LoadTimes {
  readonly start: number;
  readonly warm_up: number;
  readonly first_picture: number;
  readonly total: number;
}

export interface MeasureProps extends LocalPipelineProps {
  readonly steps: number;
  /** Pictures after the first. */
  readonly runs: number;
  /** Milliseconds from the start of this process until it could begin to load a model. */
  readonly start: number;
}

export interface Measurement {
  readonly model: string;
  /** Where the bundle lies. */
  readonly folder: string;
  readonly cold: ColdTimes;
  readonly warm: readonly PictureTimes[];
}

/** Measures in this process, which has loaded no model yet. */
export async function measurePipeline(props: MeasureProps, progress: Progress): Promise<Measurement> {
  const { steps, runs, decoder, start } = props;
  const bundle = await openLocalBundle(props, progress);
  return withLocalPipeline(
    bundle,
    props,
    progress,
    async ({ pipeline, model, folder, loadMilliseconds: load }) => {
      const warmUpStarted = performance.now();
      await warmUp(pipeline);
      const warm_up = performance.now() - warmUpStarted;
      const { total: first_picture } = await draw(pipeline, { steps, decoder, seed: 0 });
      const loaded = Object.values(load).reduce((sum, time) => sum + time, 0);
      const total = start + loaded + warm_up + first_picture;
      const warm: PictureTimes[] = [];
      for (let run = 1; run <= runs; run++) {
        progress.update('measuring', run - 1, runs);
        warm.push(await draw(pipeline, { steps, decoder, seed: run }));
      }
      return { model, folder, cold: { start, ...load, warm_up, first_picture, total }, warm };
    },
  );
}

async function draw(
  pipeline: TextToImage,
  options: { steps: number; decoder: Decoder; seed: number },
): Promise<PictureTimes> {
  const started = performance.now();
  const { images, milliseconds } = await pipeline.run({ prompt: PROMPT, images: 1, ...options });
  const drawn = performance.now();
  for (const image of images) await encodeImage(image, 'png');
  const ended = performance.now();
  const total = ended - started;
  const encode = ended - drawn;
  const networks = milliseconds.text_encoder + milliseconds.unet + milliseconds.decoder;
  return { ...milliseconds, encode, other: total - networks - encode, total };
}
