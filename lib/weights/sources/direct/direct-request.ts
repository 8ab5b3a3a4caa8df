/** A GET of HTTP/1.1 that is ready to be sent, by any thread. */
export interface DirectRequest {
  /** `https://host:port`; the port only where it is not the usual one. */
  readonly origin: string;
  /** With the empty line at its end. */
  readonly head: string;
}

/** A signed request as the AWS SDK hands it to its HTTP client. */
export interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  /** Encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns undefined when it is not of the plain kind */
export function directRequest(signed: SignedRequest): DirectRequest | undefined {
  const { method, protocol, hostname, port, path, query = {}, headers } = signed;
  if (method !== 'GET' || !Object.values(query).every((value) => typeof value === 'string')) return undefined;
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  const lines = [
    `GET ${path}${search.length > 0 ? `?${search.join('&')}` : ''} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (lines.some((line) => /[\r\n]/.test(line))) return undefined;
  const { origin } = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
  return { origin, head: `${lines.join('\r\n')}\r\n\r\n` };
}

/** As the AWS SDK encodes what it has signed (RFC 3986). */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
