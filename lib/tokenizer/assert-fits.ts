import { AppError } from '../errors/app-error.js';
import type { ClipTokenizer } from './clip-tokenizer.js';
import { quote } from './quote.js';

/** Of a CLIPTextModel's config. */
export interface TextEncoderSize {
  /** Rows of its embedding. */
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
}

/**
 * A text encoder must have a row for every id that a prompt can become, and a position for every one of them.
 *
 * @param name of the text encoder, for messages
 * @throws AppError UNSUPPORTED, which names the token and the numbers
 */
export function assertFits(
  { largest, maxLength }: ClipTokenizer,
  { vocab_size: rows, max_position_embeddings: positions }: TextEncoderSize,
  name: string,
): void {
  if (largest.id >= rows) {
    const token = `the tokenizer's token ${quote(largest.content)} has the id ${largest.id}`;
    const advice = `take the text encoder that was trained with it, or the tokenizer without it`;
    throw new AppError('UNSUPPORTED', `${token}, but ${name} vocab_size is ${rows}: ${advice}`);
  }
  if (maxLength > positions) {
    const message = `tokenizer model_max_length is ${maxLength}, but ${name} max_position_embeddings is ${positions}`;
    throw new AppError('UNSUPPORTED', `${message}: the parts do not fit`);
  }
}
