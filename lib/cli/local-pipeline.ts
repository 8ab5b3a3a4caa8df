import { decoderConfig, openBundle } from '../pipeline/bundle.js';
import { TextToImage } from '../pipeline/text-to-image.js';
import { SessionHost } from '../runtime/session-host.js';
import type { Decoder } from '../schemas/request.js';
import { assertLocal } from './assert-local.js';
import { demoBundle } from './demo-bundle.js';
import type { Progress } from './progress.js';

export interface LocalPipeline {
  readonly pipeline: TextToImage;
  /** For people and for picture metadata. */
  readonly model: string;
  readonly loadMilliseconds: number;
}

async function findBundle(model: string, progress: Progress): Promise<string> {
  if (model.startsWith('s3://')) {
    // The AWS SDK takes longer to load than a small model.
    const { cachedBundle } = await import('./cached-bundle.js');
    return cachedBundle(model, progress);
  }
  assertLocal('--model', model);
  return model;
}

/**
 * Loads a bundle with one decoder, hands it to `use`, and releases it.
 *
 * @param model directory of a bundle, or its place on S3; undefined for the demo model
 */
export async function withLocalPipeline<T>(
  model: string | undefined,
  decoder: Decoder,
  progress: Progress,
  use: (local: LocalPipeline) => Promise<T>,
): Promise<T> {
  const bundle = await openBundle(model === undefined ? demoBundle() : await findBundle(model, progress));
  decoderConfig(bundle, decoder);
  progress.say('loading the model');
  const host = new SessionHost(new URL('../runtime/session-worker.js', import.meta.url));
  try {
    const started = performance.now();
    const pipeline = await TextToImage.load(bundle, host, { provider: 'cpu' }, [decoder]);
    return await use({ pipeline, model: bundle.name, loadMilliseconds: performance.now() - started });
  } finally {
    await host.close();
  }
}
