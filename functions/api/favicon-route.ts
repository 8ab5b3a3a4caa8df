import { favicon } from '#playground';

/** Without it the browser asks again with every answer that it shows. Seconds. */
const A_DAY = 86_400;

/** `GET /favicon.ico`, which a browser asks for beside whatever is no page of ours: the pages have theirs in them. */
export function faviconRoute(): Response {
  return new Response(favicon.svg, {
    headers: {
      'content-type': 'image/svg+xml',
      'content-security-policy': "default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': `public, max-age=${A_DAY}`,
    },
  });
}
