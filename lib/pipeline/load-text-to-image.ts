import { join } from 'node:path';
import type { SessionHost } from '../runtime/session-host.js';
import type { LoadOptions } from '../runtime/session-messages.js';
import type { Decoder } from '../schemas/request.js';
import { assertFits } from '../tokenizer/assert-fits.js';
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.js';
import { assertWeights } from './assert-weights.js';
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

/**
 * Loads a bundle's networks into the session thread.
 *
 * @param decoders which of the bundle's decoders to load; the others are refused by `run`
 * @param whenThere waits until a network's files are on disk
 * @throws AppError INVALID_FILE for a file of the bundle, INVALID_INPUT for a decoder that it has not, UNSUPPORTED
 * for a provider that it was not made for, and where the tokenizer and the text encoder do not fit, BAD_NUMBERS for
 * weights that are none
 */
export async function loadTextToImage(
  bundle: Bundle,
  host: SessionHost,
  options: LoadOptions,
  decoders: readonly Decoder[] = [...bundle.decoders.keys()],
  whenThere: (network: NetworkName) => Promise<void> = async () => {},
): Promise<TextToImage> {
  assertRunsOn(options.provider, bundle);
  // These graphs were written as they are to run: to look for what could be better would only take time.
  const asIs = bundle.dialect === 'cuda';
  const configs = decoders.map((decoder) => [decoder, decoderConfig(bundle, decoder)] as const);
  const tokenizer = await ClipTokenizer.load(join(bundle.folder, 'tokenizer'));
  const size = await readTextEncoderSize(bundle.folder);
  if (size) assertFits(tokenizer, size, `${bundle.folder}/text_encoder`);
  const scheduler = await readScheduler(bundle.folder);
  const load = async (network: NetworkName) => {
    await whenThere(network);
    // Nothing of its picture tells: a colour that is clipped all over may be what its weights say.
    if (network === 'taesd' && bundle.version === 1)
      await assertWeights(join(bundle.folder, networkFolder(network)));
    const signature = await host.load(network, graphPath(bundle.folder, network), { asIs, ...options });
    return new Network(host, network, signature);
  };
  const textEncoder = await load('text_encoder');
  const unet = await load('unet');
  const decodings = new Map<Decoder, Decoding>();
  for (const [decoder, config] of configs) decodings.set(decoder, { network: await load(decoder), config });
  const { encoder: config } = bundle;
  const encoder = config && { network: await load('vae_encoder'), config };
  const networks = { textEncoder, unet, decoders: decodings, encoder };
  return new TextToImage({ bundle, tokenizer, scheduler, networks, provider: options.provider });
}
