import { AppError } from '../../lib/errors/app-error.js';

/**
 * The value of a stored JSON text in UTF-8.
 *
 * @param name where it lies, for the message
 * @throws AppError INVALID_FILE
 */
export function parseStored(bytes: Uint8Array, name: string): unknown {
  try {
    // A byte that is no UTF-8 must not become another letter of a prompt.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message has a piece of the text, which may have a prompt.
    throw new AppError('INVALID_FILE', `${name} is not JSON`);
  }
}
