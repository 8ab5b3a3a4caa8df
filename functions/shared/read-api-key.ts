/** The key of a request: `x-api-key`, or `Authorization` in the schemes `Api-Key` and `Bearer`. */
export function readApiKey(headers: Headers): string | undefined {
  const authorization = headers.get('authorization') ?? '';
  return headers.get('x-api-key')?.trim() || /^(?:api-key|bearer)\s+(\S+)\s*$/i.exec(authorization)?.[1];
}
