/** Longest key: API Gateway takes 20 to 128 characters. */
const MAX_KEY = 128;

/** The API key in `x-api-key`, or in `Authorization` after `Api-Key` (Baseten's way) or `Bearer` (OpenAI's way). */
export function readKey(headers: Headers): string | undefined {
  const authorization = /^(?:api-key|bearer)\s+(\S+)$/i.exec(headers.get('authorization')?.trim() ?? '')?.[1];
  const key = headers.get('x-api-key')?.trim() || authorization;
  return key !== undefined && key.length <= MAX_KEY ? key : undefined;
}
