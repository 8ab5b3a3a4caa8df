import net from 'node:net';
import tls from 'node:tls';

/** S3's heads have less than 1 KiB; Node's own limit is 16 KiB. */
const MAX_HEAD_BYTES = 16 * 1024;

const CONNECT_TIMEOUT_MS = 5_000;

/** Shorter than servers commonly wait, so that a request seldom meets a connection that is being closed. */
const IDLE_TIMEOUT_MS = 4_000;

/** Where a body goes: memory of its owner's, piece by piece. */
export interface BodyTarget {
  /** Bytes in all, more than 0. */
  readonly length: number;
  /** Memory for the next bytes; not empty as long as there are any to come. */
  room(): Uint8Array;
  /** The first `count` bytes of `room()` are there. What it throws ends the transfer. */
  filled(count: number): void;
}

interface Exchange {
  readonly target: BodyTarget;
  readonly settle: (error?: unknown) => void;
  /** Bytes of the body that are still to come; undefined until the head is complete. */
  left: number | undefined;
  /** Whether the answer is of the kind that the target can take. */
  plain: boolean;
}

/**
 * One HTTP/1.1 connection for large GETs. The kernel copies the body straight to where its target wants it: Node's
 * own client allocates 64 KiB of external memory for each read, and at 1 GB/s the collector then takes more time than
 * everything else together. It knows only the plainest of answers: 200 or 206 with the length of the target.
 */
export class DirectConnection {
  readonly #socket: net.Socket;
  readonly #head = Buffer.allocUnsafeSlow(MAX_HEAD_BYTES);
  #headBytes = 0;
  #exchange: Exchange | undefined;
  #reusable = true;

  private constructor(url: URL) {
    const onread = { buffer: () => this.#room(), callback: (count: number) => this.#onData(count) };
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const options = { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80), onread };
    this.#socket =
      url.protocol === 'https:'
        ? tls.connect({
            ...options,
            ...(net.isIP(host) ? {} : { servername: host }),
            ALPNProtocols: ['http/1.1'],
          })
        : net.connect(options);
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(broken('the connection was closed too early')));
    this.#socket.on('timeout', () => this.#socket.destroy());
  }

  /** Connects to the host of `url`. */
  static async open(url: URL, signal: AbortSignal): Promise<DirectConnection> {
    const connection = new DirectConnection(url);
    const socket = connection.#socket;
    const stop = () => socket.destroy(new Error('no connection in time'));
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', resolve);
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('no connection')));
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return connection;
  }

  /** Whether it can take another request. */
  get reusable(): boolean {
    return this.#reusable && !this.#socket.destroyed;
  }

  /** Keeps the connection for a while, without keeping the process. */
  rest(): void {
    this.#socket.setTimeout(IDLE_TIMEOUT_MS);
    this.#socket.unref();
  }

  /**
   * Sends `head` and fills `target` with the body of the answer.
   *
   * @param head of a GET request, with the empty line at its end
   * @returns false when the answer is of another kind: the target has not been touched then
   */
  async get(head: string, target: BodyTarget, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const stop = () => this.#end(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<boolean>((resolve, reject) => {
        const settle = (error?: unknown) => (error === undefined ? resolve(exchange.plain) : reject(error));
        const exchange: Exchange = { target, settle, left: undefined, plain: false };
        this.#exchange = exchange;
        this.#socket.setTimeout(0);
        this.#socket.ref();
        this.#socket.write(head, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Where the next bytes go that come over the line. */
  #room(): Uint8Array {
    const { target, left } = this.#exchange ?? {};
    // Without a request nothing should come; what does ends the connection.
    if (!target || left === undefined) return this.#head.subarray(this.#headBytes);
    return target.room().subarray(0, left);
  }

  /** @param count of bytes that are in the room */
  #onData(count: number): boolean {
    const exchange = this.#exchange;
    if (!exchange) {
      this.#socket.destroy();
      return true;
    }
    try {
      if (exchange.left === undefined) this.#onHead(exchange, count);
      else this.#onBody(exchange, exchange.left, count);
      if (exchange.left === 0) this.#end();
    } catch (error) {
      this.#end(error);
    }
    return true;
  }

  #onHead(exchange: Exchange, count: number): void {
    this.#headBytes += count;
    const head = this.#head.subarray(0, this.#headBytes);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#headBytes === MAX_HEAD_BYTES) throw broken('the head of the answer is too long');
      return;
    }
    this.#headBytes = 0;
    const { plain, kept } = readHead(head.toString('latin1', 0, end), exchange.target.length);
    exchange.plain = plain;
    this.#reusable = plain && kept;
    if (!plain) {
      this.#end();
      return;
    }
    exchange.left = exchange.target.length;
    for (let rest = head.subarray(end + 4); rest.length > 0; ) {
      if (rest.length > exchange.left) throw broken('more bytes came than were announced');
      const piece = rest.subarray(0, exchange.target.room().length);
      exchange.target.room().set(piece);
      this.#onBody(exchange, exchange.left, piece.length);
      rest = rest.subarray(piece.length);
    }
  }

  #onBody(exchange: Exchange, left: number, count: number): void {
    exchange.left = left - count;
    exchange.target.filled(count);
  }

  #end(error?: unknown): void {
    if (error !== undefined || !this.#reusable) this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.settle(error);
  }
}

/**
 * @param length that the body must have
 * @returns whether the body is just that, and whether the server keeps the connection
 */
function readHead(head: string, length: number): { plain: boolean; kept: boolean } {
  const [status = '', ...lines] = head.split('\r\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const encoded = headers.has('transfer-encoding') || headers.has('content-encoding');
  const connection = headers.get('connection') ?? (status.startsWith('HTTP/1.1') ? 'keep-alive' : 'close');
  return {
    plain:
      /^HTTP\/1\.[01] 20[06] /.test(status) && headers.get('content-length') === String(length) && !encoded,
    kept: connection.toLowerCase() === 'keep-alive',
  };
}

/** An error that looks like the system's for a connection that ended: asking again may help. */
function broken(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
