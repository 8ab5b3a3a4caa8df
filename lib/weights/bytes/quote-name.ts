import { escapeInvisible } from '../../errors/show-value.js';

/** Enough to recognise any real name; a made-up one may be millions of characters long. */
const MAX_QUOTED_LENGTH = 200;

/** A name from an untrusted file as part of a one-line message. */
export function quoteName(name: string): string {
  const shown = name.length > MAX_QUOTED_LENGTH ? `${name.slice(0, MAX_QUOTED_LENGTH)}...` : name;
  return escapeInvisible(JSON.stringify(shown));
}
