import { refusal } from '../shared/problem-response.js';

/** Visible ASCII, as long as Stripe's and AWS's may be. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The value of `Idempotency-Key`, with or without the quotes that the IETF's draft wants around it.
 *
 * @throws RequestRefused
 */
export function readIdempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined;
  const key = header.trim().replace(/^"(.*)"$/, '$1');
  if (KEY.test(key)) return key;
  throw refusal('Idempotency-Key', 'must have 1 to 255 visible ASCII characters');
}
