import { encodeImage } from '../image/encode-image.js';
import type { RgbImage } from '../image/rgb-image.js';
import { assertTestPicture, drawTestPicture } from './self-test.js';
import type { TextToImage } from './text-to-image.js';

/** On a GPU a graph's second run still allocates: its memory is planned by what the first one took. */
const RUNS = { cpu: 1, cuda: 2 } as const;

/**
 * Draws a known picture with each decoder, looks at it, and encodes it: the first request does not pay for what is done
 * once (convolution search, memory arenas, compiled code), and no request is drawn by what draws wrong.
 *
 * @throws AppError BAD_NUMBERS when the picture is not the one it should be
 */
export async function warmUp(pipeline: TextToImage): Promise<void> {
  const { decoders, initSize, provider } = pipeline;
  for (let run = 0; run < RUNS[provider]; run++) {
    if (initSize) await pipeline.encode(blank(initSize));
    for (const decoder of decoders) {
      const picture = await drawTestPicture(pipeline, decoder);
      assertTestPicture(picture, pipeline, decoder);
      await encodeImage(picture, 'png');
    }
  }
}

function blank({ width, height }: { readonly width: number; readonly height: number }): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height) };
}
