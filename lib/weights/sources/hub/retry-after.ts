/** The hub counts in windows of five minutes. */
const MAX_WAIT_MS = 6 * 60_000;

/**
 * How long an answer asks to wait, in milliseconds: `Retry-After` in seconds or as a date, or else `t` of the
 * draft header `RateLimit: "api";r=0;t=55`, which the hub sends. 0 where it says nothing.
 *
 * @param now milliseconds since 1970, for a date
 */
export function retryAfter(headers: Headers, now: number): number {
  const after = headers.get('retry-after')?.trim();
  const seconds = after ?? /(?:^|;)\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] ?? '0';
  const wait = /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : Date.parse(seconds) - now;
  return Number.isNaN(wait) ? 0 : Math.min(MAX_WAIT_MS, Math.max(0, wait));
}
