import { createHash } from 'node:crypto';
import type { Page } from '#playground';

/** `GET` of a page of ours, which no other page can frame, and which loads nothing from anywhere else. */
export function pageResponse({ html, policy }: Page, request: Request): Response {
  const etag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
    etag,
  };
  const known = request.headers.get('if-none-match')?.includes(etag);
  return known ? new Response(null, { status: 304, headers }) : new Response(html, { headers });
}
