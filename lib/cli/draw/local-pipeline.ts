import { type Bundle, decoderConfig, type NetworkName, openBundle } from '../../pipeline/bundle.js';
import { loadTextToImage } from '../../pipeline/load-text-to-image.js';
import type { TextToImage } from '../../pipeline/text-to-image.js';
import { SessionHost } from '../../runtime/session-host.js';
import type { Provider } from '../../runtime/session-messages.js';
import type { Decoder } from '../../schemas/request.js';
import { prepareSessions } from '../environment.js';
import type { Progress } from '../progress.js';
import { modelPlace } from './model-place.js';

export interface LocalPipelineProps {
  /** Directory of a bundle, its place on S3, or a checkpoint on Hugging Face. @default the demo model */
  readonly model?: string | undefined;
  readonly decoder: Decoder;
  readonly provider: Provider;
}

export interface LocalPipeline {
  readonly pipeline: TextToImage;
  /** For people and for picture metadata. */
  readonly model: string;
  /** Where the bundle lies. */
  readonly folder: string;
  readonly loadMilliseconds: LoadTimes;
}

/** Milliseconds; sessions are created one after another. */
export interface LoadTimes {
  readonly tokenizer: number;
  readonly text_encoder: number;
  readonly unet: number;
  /** And of the encoder, where the bundle has one. */
  readonly decoder: number;
}

async function findBundle(model: string | undefined, progress: Progress): Promise<string> {
  const place = modelPlace(model);
  if (place.kind === 'directory') return place.path;
  // The exporter and the AWS SDK take longer to load than a small model.
  if (place.kind === 'hub')
    return (await import('../models/hub-bundle.js')).hubBundle(place.location, progress);
  const { cachedBundle } = await import('./cached-bundle.js');
  return cachedBundle(place.location, progress);
}

/** Finds a bundle that has the decoder, before anything of it is loaded. */
export async function openLocalBundle(
  { model, decoder }: LocalPipelineProps,
  progress: Progress,
): Promise<Bundle> {
  const bundle = await openBundle(await findBundle(model, progress));
  decoderConfig(bundle, decoder);
  return bundle;
}

/** Loads a bundle with one decoder, hands it to `use`, and releases it. */
export async function withLocalPipeline<T>(
  bundle: Bundle,
  { decoder, provider }: LocalPipelineProps,
  progress: Progress,
  use: (local: LocalPipeline) => Promise<T>,
): Promise<T> {
  progress.say('loading the model');
  prepareSessions();
  const host = new SessionHost(new URL('../../runtime/session-worker.js', import.meta.url));
  try {
    const started = performance.now();
    const begun: Partial<Record<NetworkName, number>> = {};
    const whenThere = async (network: NetworkName) => {
      begun[network] = performance.now();
    };
    const pipeline = await loadTextToImage(bundle, host, { provider }, { decoders: [decoder], whenThere });
    const { text_encoder: text, unet, [decoder]: last } = begun as Record<NetworkName, number>;
    const loadMilliseconds = {
      tokenizer: text - started,
      text_encoder: unet - text,
      unet: last - unet,
      decoder: performance.now() - last,
    };
    return await use({ pipeline, model: bundle.name, folder: bundle.folder, loadMilliseconds });
  } finally {
    await host.close();
  }
}
