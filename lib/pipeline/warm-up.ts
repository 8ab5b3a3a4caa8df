import { encodeImage } from '../image/encode-image.js';
import type { TextToImage } from './text-to-image.js';

/**
 * Draws one picture with each decoder and encodes it, and begins one with a picture where that can be done, so that the first request does not pay for what is done
 * once: convolution search, memory arenas, compiled code.
 */
export async function warmUp(pipeline: TextToImage): Promise<void> {
  for (const decoder of pipeline.decoders) {
    const { images } = await pipeline.run({ prompt: '', steps: 1, seed: 0, images: 1, decoder });
    for (const image of images) await encodeImage(image, 'png');
  }
  const { initSize, decoders } = pipeline;
  const [decoder] = decoders;
  if (!initSize || !decoder) return;
  const picture = { ...initSize, data: new Uint8Array(3 * initSize.width * initSize.height) };
  await pipeline.run({ prompt: '', steps: 1, seed: 0, images: 1, decoder, init: { picture, strength: 1 } });
}
