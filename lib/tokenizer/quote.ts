import { escapeInvisible } from '../errors/show-value.js';

/** Text of a file for a message: one line, and not long. */
export function quote(text: string): string {
  return escapeInvisible(JSON.stringify(text.slice(0, 80)));
}
