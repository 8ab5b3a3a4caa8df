import { AppError } from '../../errors/app-error.js';
import type { Bundle } from '../../pipeline/bundle.js';
import type { InitPicture } from '../../pipeline/text-to-image.js';
import type { Progress } from '../progress.js';
import { decodePicture } from './decode-picture.js';
import type { Drawing, DrawProps, DrawRequest } from './drawing.js';
import type { LocalPipelineProps } from './local-pipeline.js';
import type { Output } from './output.js';
import { writeOutput } from './write-output.js';

/** Draws on this machine. */
export async function drawHere(
  props: DrawProps,
  { model: place, provider }: Pick<LocalPipelineProps, 'model' | 'provider'>,
  progress: Progress,
): Promise<Drawing> {
  const { request, outputs } = props;
  const { prompt, num_steps: steps, seed, num_images: images, output_format: format, decoder } = request;
  const { openLocalBundle, withLocalPipeline } = await import('./local-pipeline.js');
  const { encodeImage } = await import('../../image/encode-image.js');
  const local = { model: place, provider, decoder };
  const bundle = await openLocalBundle(local, progress);
  const init = await readInit(request, bundle);
  return withLocalPipeline(bundle, local, progress, async ({ pipeline, model, loadMilliseconds }) => {
    progress.say(`drawing in ${steps} step${steps === 1 ? '' : 's'}`);
    const started = performance.now();
    const drawn = await pipeline.run({ prompt, steps, seed, images, decoder, ...(init && { init }) });
    const encodeStarted = performance.now();
    // The prompt stays out: pictures travel further than their makers think.
    const text = { seed: String(seed), num_steps: String(steps), model };
    for (const [index, image] of drawn.images.entries()) {
      await writeOutput(outputs[index] as Output, await encodeImage(image, format, text));
    }
    const ended = performance.now();
    const encode = ended - encodeStarted;
    const load = Object.values(loadMilliseconds).reduce((sum, time) => sum + time, 0);
    const milliseconds = { load, ...drawn.milliseconds, encode, total: ended - started };
    const files = outputs.map(({ name }) => name);
    const said = {
      tokens_cut: drawn.truncated,
      ...(drawn.warnings.length > 0 && { warnings: drawn.warnings }),
    };
    return { seed, num_steps: steps, decoder, model, files, ...said, milliseconds };
  });
}

async function readInit(
  { image, strength = 1 }: DrawRequest,
  { encoder }: Bundle,
): Promise<InitPicture | undefined> {
  if (image === undefined) return undefined;
  if (!encoder) {
    throw new AppError('UNSUPPORTED', '--image: this bundle has no encoder: import it again with --encoder');
  }
  const { width, height } = encoder;
  return { picture: await decodePicture({ bytes: image, width, height }), strength };
}
