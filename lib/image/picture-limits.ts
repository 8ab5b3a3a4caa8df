import { MAX_IMAGE_BYTES } from '../schemas/request.js';

/** What a picture may have, and what reading it may cost. */
export interface PictureLimits {
  /** Of the file. */
  readonly bytes: number;
  readonly pixels: number;
  /** Of the picture where all of it must be held at once: interlaced, progressive, turned. */
  readonly unpackedBytes: number;
  /** Of a core. */
  readonly cpuSeconds: number;
  /** Beyond what the decoder has while it waits. */
  readonly memoryBytes: number;
}

/**
 * Of a picture that a stranger sends; `test/bench/request-cost.ts` prints what the worst then cost. 50 megapixels are what
 * cameras make: unpacked they have 150 MB, and so have the coefficients of a progressive JPEG whose colours have half its size.
 */
export const REQUEST_LIMITS: PictureLimits = {
  bytes: MAX_IMAGE_BYTES,
  pixels: 50_000_000,
  unpackedBytes: 150_000_000,
  cpuSeconds: 2,
  memoryBytes: 300_000_000,
};

/** Of a file of one's own: a photo of the largest sensors, of 200 megapixels, kept without loss. */
export const OWN_LIMITS: PictureLimits = {
  bytes: 256 * 1024 * 1024,
  pixels: 250_000_000,
  unpackedBytes: 1_000_000_000,
  cpuSeconds: 60,
  memoryBytes: 2_000_000_000,
};
