import { ImageDecoder } from '../../lib/image/image-decoder.js';

/** A decoder on the compiled sources, which Vitest's global setup has brought up to date. */
export function startImageDecoder(): ImageDecoder {
  return new ImageDecoder(new URL('../../dist/lib/image/decode-process.js', import.meta.url));
}
