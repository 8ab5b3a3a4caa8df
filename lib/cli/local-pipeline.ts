import { fileURLToPath } from 'node:url';
import { AppError } from '../errors/app-error.js';
import { openBundle } from '../pipeline/bundle.js';
import { TextToImage } from '../pipeline/text-to-image.js';
import { SessionHost } from '../runtime/session-host.js';
import type { Decoder } from '../schemas/request.js';
import { packageRoot } from './package-root.js';

export interface LocalPipeline {
  readonly pipeline: TextToImage;
  /** For people and for picture metadata. */
  readonly model: string;
  readonly loadMilliseconds: number;
}

/** The bundle that is part of this package. */
function demoBundle(): string {
  return fileURLToPath(new URL('lib/demo-model/bundle', packageRoot()));
}

/**
 * Loads a bundle with one decoder, hands it to `use`, and releases it.
 *
 * @param model directory of a bundle; undefined for the demo model
 */
export async function withLocalPipeline<T>(
  model: string | undefined,
  decoder: Decoder,
  use: (local: LocalPipeline) => Promise<T>,
): Promise<T> {
  if (model?.startsWith('s3://')) {
    throw new AppError('UNSUPPORTED', '--model s3://... is not available yet: name a directory');
  }
  const bundle = await openBundle(model ?? demoBundle());
  const host = new SessionHost(new URL('../runtime/session-worker.js', import.meta.url));
  try {
    const started = performance.now();
    const pipeline = await TextToImage.load(bundle, host, { provider: 'cpu' }, [decoder]);
    return await use({ pipeline, model: bundle.name, loadMilliseconds: performance.now() - started });
  } finally {
    await host.close();
  }
}
