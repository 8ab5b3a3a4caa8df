import { encodeImage } from '../image/encode-image.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { Decoder } from '../schemas/request.js';
import type { SelfTest } from '../schemas/self-test.js';
import { assertTestPicture, drawTestPicture, summarise } from './self-test.js';
import type { TextToImage } from './text-to-image.js';

/** On a GPU a graph's second run still allocates: its memory is planned by what the first one took. */
const RUNS = { cpu: 1, cuda: 2 } as const;

/**
 * Draws what `drawTestPictures` does, and as many pictures at once as requests may share a run of the UNet for: the first
 * request does not pay for what is done once (convolution search, memory arenas, compiled code), and no request is drawn
 * by what draws wrong.
 *
 * @returns what the pictures look like
 * @throws AppError BAD_NUMBERS when one is not what it should be
 */
export async function warmUp(pipeline: TextToImage): Promise<SelfTest> {
  const { decoders, provider, maxBatchSize } = pipeline;
  let drawn: SelfTest = {};
  for (let run = 0; run < RUNS[provider]; run++) {
    drawn = await drawTestPictures(pipeline);
    // Which decoder comes after it is all the same to the UNet.
    if (maxBatchSize > 1) await drawTogether(pipeline, decoders[0] as Decoder);
  }
  return drawn;
}

/**
 * Draws a known picture with each decoder, looks at it, and encodes it: whether the model can draw.
 *
 * @returns what the pictures look like
 * @throws AppError BAD_NUMBERS when one is not what it should be
 */
export async function drawTestPictures(pipeline: TextToImage): Promise<SelfTest> {
  const { decoders, initSize } = pipeline;
  const drawn: SelfTest = {};
  if (initSize) await pipeline.encode(blank(initSize));
  for (const decoder of decoders) {
    const picture = await drawTestPicture(pipeline, decoder);
    assertTestPicture(picture, pipeline, decoder);
    drawn[decoder] = summarise(picture);
    await encodeImage(picture, 'png');
  }
  return drawn;
}

async function drawTogether(pipeline: TextToImage, decoder: Decoder): Promise<void> {
  const draw = () => drawTestPicture(pipeline, decoder);
  const pictures = await Promise.all(Array.from({ length: pipeline.maxBatchSize }, draw));
  for (const picture of pictures) assertTestPicture(picture, pipeline, decoder);
}

function blank({ width, height }: { readonly width: number; readonly height: number }): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height) };
}
