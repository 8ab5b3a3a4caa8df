/** Longest key: API Gateway takes 20 to 128 characters. */
const MAX_KEY = 128;

const OURS = /^(?:api-key|bearer)(?=\s|$)/i;
/** A scheme, and something after it. What has other characters, or stands alone, may be the key itself. */
const SCHEME = /^([A-Za-z][A-Za-z-]{0,30}|AWS4-HMAC-SHA256)\s+\S/;

const HOW = 'send it as x-api-key: KEY, or as Authorization: Bearer KEY';

/** The API key in `x-api-key`, or in `Authorization` after `Api-Key` (Baseten's way) or `Bearer` (OpenAI's way). */
export function readKey(headers: Headers): string | undefined {
  const authorization = /^(?:api-key|bearer)\s+(\S+)$/i.exec(headers.get('authorization')?.trim() ?? '')?.[1];
  const key = headers.get('x-api-key')?.trim() || authorization;
  return key !== undefined && key.length <= MAX_KEY ? key : undefined;
}

/** Why `readKey` finds none. Nothing of `Authorization` is repeated but its scheme. */
export function whyNoKey(headers: Headers): string {
  const authorization = headers.get('authorization')?.trim() ?? '';
  if (headers.get('x-api-key')?.trim()) return `the API key is longer than ${MAX_KEY} characters`;
  if (authorization === '') return `no API key: ${HOW}`;
  if (OURS.test(authorization))
    return `Authorization must have an API key after its scheme, one word of at most ${MAX_KEY} characters`;
  const scheme = SCHEME.exec(authorization)?.[1];
  const said =
    scheme === undefined ? 'no scheme that is known here' : `the scheme ${scheme}, which is not known here`;
  return `no API key: Authorization has ${said}; ${HOW}`;
}
