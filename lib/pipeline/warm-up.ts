import { encodeImage } from '../image/encode-image.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { TextToImage } from './text-to-image.js';

/**
 * Draws one picture with each decoder and encodes it, so that the first request does not pay for what is done
 * once: convolution search, memory arenas, compiled code. Where it can be done, the first begins with another.
 */
export async function warmUp(pipeline: TextToImage): Promise<void> {
  const { decoders, initSize } = pipeline;
  for (const [index, decoder] of decoders.entries()) {
    const init = index === 0 && initSize ? { init: { picture: blank(initSize), strength: 1 } } : {};
    const { images } = await pipeline.run({ prompt: '', steps: 1, seed: 0, images: 1, decoder, ...init });
    for (const image of images) await encodeImage(image, 'png');
  }
}

function blank({ width, height }: { readonly width: number; readonly height: number }): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height) };
}
