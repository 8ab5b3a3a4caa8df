import { randomUUID } from 'node:crypto';

/** What a caller may choose as an id: short, and harmless in a log or a header. */
const REQUEST_ID = /^[\w.-]{1,128}$/;

/** The caller's `x-request-id` where it is fit to be repeated, else a new one. */
export function requestId(headers: Headers): string {
  const given = headers.get('x-request-id');
  return given !== null && REQUEST_ID.test(given) ? given : randomUUID();
}
