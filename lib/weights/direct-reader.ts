import type { ByteSink } from './byte-source.js';
import { DirectConnection } from './direct-connection.js';

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

/** Pours the bodies of large GETs over connections of its own, and keeps these for the next ones. */
export class DirectReader {
  readonly #idle = new Map<string, DirectConnection[]>();
  /** Set for good when a connection cannot be made: the SDK's client may know a way, say a proxy. */
  #unreachable = false;

  /**
   * @returns false when the request or its answer is not of the plain kind: then nothing has been poured, and the
   * SDK's own client has to ask
   * @throws whatever breaks the transfer once the answer has begun, or the reason of `signal`
   */
  async pour(request: SignedRequest, sink: ByteSink, signal: AbortSignal): Promise<boolean> {
    const head = requestHead(request);
    if (head === undefined || this.#unreachable) return false;
    const { protocol, hostname, port } = request;
    const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
    const connection = this.#take(url.origin) ?? (await this.#connect(url, signal));
    if (!connection) return false;
    const poured = await connection.get(head, sink, signal);
    if (connection.reusable) this.#keep(url.origin, connection);
    return poured;
  }

  async #connect(url: URL, signal: AbortSignal): Promise<DirectConnection | undefined> {
    try {
      return await DirectConnection.open(url, signal);
    } catch {
      signal.throwIfAborted();
      this.#unreachable = true;
      return undefined;
    }
  }

  #take(origin: string): DirectConnection | undefined {
    const idle = this.#idle.get(origin) ?? [];
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (connection.reusable) return connection;
    }
    return undefined;
  }

  #keep(origin: string, connection: DirectConnection): void {
    connection.rest();
    const idle = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, [...idle, connection]);
  }
}

function requestHead({ method, path, query = {}, headers }: SignedRequest): string | undefined {
  const values = Object.values(query);
  if (method !== 'GET' || !values.every((value) => typeof value === 'string')) return undefined;
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  const lines = [
    `GET ${path}${search.length > 0 ? `?${search.join('&')}` : ''} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return lines.some((line) => /[\r\n]/.test(line)) ? undefined : `${lines.join('\r\n')}\r\n\r\n`;
}

/** As the AWS SDK encodes what it has signed (RFC 3986). */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
