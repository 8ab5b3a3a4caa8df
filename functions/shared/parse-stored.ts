import { AppError } from '../../lib/errors/app-error.js';

/**
 * The value of a stored JSON text.
 *
 * @param name where it lies, for the message
 * @throws AppError INVALID_FILE
 */
export function parseStored(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message has a piece of the text, which may have a prompt.
    throw new AppError('INVALID_FILE', `${name} is not JSON`);
  }
}
