import { join } from 'node:path';
import type { SessionHost } from '../runtime/session-host.js';
import type { LoadOptions } from '../runtime/session-messages.js';
import type { Decoder } from '../schemas/request.js';
import { assertFits } from '../tokenizer/assert-fits.js';
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { assertWeights } from './assert-weights.js';
import { BatchedNetwork } from './batched-network.js';
import {
  assertRunsOn,
  type Bundle,
  decoderConfig,
  graphPath,
  type NetworkName,
  networkFolder,
  readScheduler,
  readTextEncoderSize,
} from './bundle.js';
import { Network } from './network.js';
import { type Decoding, TextToImage } from './text-to-image.js';

/** What of a bundle is loaded, when, and for how many. */
export interface LoadTextToImageProps {
  /** Of the bundle's decoders; the others are refused by `run`. @default all */
  readonly decoders?: readonly Decoder[];
  /** Waits until a network's files are on disk. @default they are there */
  readonly whenThere?: (network: NetworkName) => Promise<void>;
  /**
   * Pictures that one run of the UNet may draw for several requests. On CUDA that takes a second session of it, and so its
   * weights once more. Without effect where the graph cannot. @default 1
   */
  readonly maxBatchSize?: number;
  /** Told of what keeps no request from being drawn. @default nobody */
  readonly onTrouble?: ((what: string, error: unknown) => void) | undefined;
}

/**
 * Loads a bundle's networks into the session thread.
 *
 * @throws AppError INVALID_FILE for a file of the bundle, INVALID_INPUT for a decoder that it has not, UNSUPPORTED
 * for a provider that it was not made for, and where the tokenizer and the text encoder do not fit, BAD_NUMBERS for
 * weights that are none
 */
export async function loadTextToImage(
  bundle: Bundle,
  host: SessionHost,
  options: LoadOptions,
  props: LoadTextToImageProps = {},
): Promise<TextToImage> {
  const { decoders = [...bundle.decoders.keys()], whenThere, maxBatchSize = 1, onTrouble } = props;
  assertRunsOn(options.provider, bundle);
  // These graphs were written as they are to run: to look for what could be better would only take time.
  const asIs = bundle.dialect === 'cuda';
  const configs = decoders.map((decoder) => [decoder, decoderConfig(bundle, decoder)] as const);
  const tokenizer = await ClipTokenizer.load(join(bundle.folder, 'tokenizer'));
  const size = await readTextEncoderSize(bundle.folder);
  if (size) assertFits(tokenizer, size, `${bundle.folder}/text_encoder`);
  const scheduler = await readScheduler(bundle.folder);
  const load = async (network: NetworkName, session: string = network) => {
    await whenThere?.(network);
    // Nothing of its picture tells: a colour that is clipped all over may be what its weights say.
    if (network === 'taesd' && bundle.version === 1)
      await assertWeights(join(bundle.folder, networkFolder(network)));
    const signature = await host.load(session, graphPath(bundle.folder, network), { asIs, ...options });
    return new Network(host, session, signature);
  };
  const share = async (alone: Network, maxRows: number) => {
    // ONNX Runtime's convolutions keep the plan of one shape (images-per-run.ts): each session has its own, for good.
    const isFull = options.provider === 'cuda';
    const together = isFull ? await load('unet', 'unet_together') : alone;
    return new BatchedNetwork({ host, alone, together, maxRows, isFull, onTrouble });
  };
  const textEncoder = await load('text_encoder');
  const alone = await load('unet');
  const maxRows = alone.takesDifferent ? maxBatchSize : 1;
  const unet = maxRows > 1 ? await share(alone, maxRows) : alone;
  const decodings = new Map<Decoder, Decoding>();
  for (const [decoder, config] of configs) decodings.set(decoder, { network: await load(decoder), config });
  const { encoder: config } = bundle;
  const encoder = config && { network: await load('vae_encoder'), config };
  const networks = { textEncoder, unet, decoders: decodings, encoder };
  const { provider } = options;
  return new TextToImage({ bundle, tokenizer, scheduler, networks, provider, maxBatchSize: maxRows });
}
