import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ANY_ORIGIN } from '../../lib/schemas/cors-origins.js';
import { HEADERS, sentName } from './openapi/headers.js';

/** What pages may do. */
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'];
/** What a page may read of an answer's head: all that the document tells of. */
const READABLE = [...new Set(Object.keys(HEADERS).map(sentName)), 'Allow', 'ETag'];
/** As long as Chromium keeps what it was told at all. Seconds. */
const MAX_AGE = 7_200;

/**
 * Lets pages of other origins ask, and read what they are answered, errors included. A key goes in a header, never in a
 * cookie: nothing is sent that the page does not have itself.
 *
 * @param origins as `corsOriginsSchema` gives them
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler {
  const origin = origins.includes(ANY_ORIGIN) ? ANY_ORIGIN : [...origins];
  const allow = cors({ origin, allowMethods: METHODS, exposeHeaders: READABLE, maxAge: MAX_AGE });
  return (c, next) => {
    const isPreflight = c.req.header('access-control-request-method') !== undefined;
    // Any other OPTIONS is a method that no path has.
    return c.req.method === 'OPTIONS' && !isPreflight ? next() : allow(c, next);
  };
}
