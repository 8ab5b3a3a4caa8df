import type { DecodeImageProps } from './decode-image.js';
import type { RgbImage } from './rgb-image.js';

/** To the decoder's process, one at a time. */
export type DecodeOrder = DecodeImageProps;

/** From it. `ready` comes once, before the first order is taken. */
export type DecodeReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'decoded'; readonly image: RgbImage }
  | { readonly kind: 'refused'; readonly message: string };
