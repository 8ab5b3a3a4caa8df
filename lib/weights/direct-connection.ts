import net from 'node:net';
import tls from 'node:tls';
import type { ByteSink } from './byte-source.js';

/** What is read at once. Small enough to be still in the processor's cache when the sink looks at it. */
const READ_SIZE = 128 * 1024;

/** S3's heads have less than 1 KiB; Node's own limit is 16 KiB. */
const MAX_HEAD_BYTES = 16 * 1024;

const CONNECT_TIMEOUT_MS = 5_000;

/** Shorter than servers commonly wait, so that a request seldom meets a connection that is being closed. */
const IDLE_TIMEOUT_MS = 4_000;

interface Exchange {
  readonly sink: ByteSink;
  readonly settle: (error?: unknown) => void;
  head: Buffer;
  /** Bytes of the body that are still to come; undefined until the head is complete. */
  left: number | undefined;
  /** Whether the answer was of the kind that can be poured. */
  plain: boolean;
}

/**
 * One HTTP/1.1 connection for large GETs. It reads into one buffer, again and again, and shows the body to a sink
 * there: Node's own client allocates 64 KiB of external memory for each read, and at 1 GB/s the collector then
 * takes more time than everything else together. It knows only the plainest of answers, 200 or 206 with a length.
 */
export class DirectConnection {
  readonly #socket: net.Socket;
  #exchange: Exchange | undefined;
  #reusable = true;

  private constructor(url: URL) {
    const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    const onread = { buffer, callback: (length: number) => this.#onData(buffer.subarray(0, length)) };
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
   * Sends `head` and pours the body of the answer.
   *
   * @param head of a GET request, with the empty line at its end
   * @returns false when the answer is of another kind: nothing has been poured then
   */
  async get(head: string, sink: ByteSink, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const stop = () => this.#end(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<boolean>((resolve, reject) => {
        const settle = (error?: unknown) => (error === undefined ? resolve(exchange.plain) : reject(error));
        const exchange: Exchange = { sink, settle, head: Buffer.alloc(0), left: undefined, plain: false };
        this.#exchange = exchange;
        this.#socket.setTimeout(0);
        this.#socket.ref();
        this.#socket.write(head, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** @returns false to stop reading until `resume` */
  #onData(bytes: Buffer): boolean {
    const exchange = this.#exchange;
    if (!exchange) {
      this.#socket.destroy();
      return false;
    }
    try {
      const body = exchange.left === undefined ? this.#readHead(exchange, bytes) : bytes;
      if (!body || exchange.left === undefined) return true;
      if (body.length > exchange.left) throw broken('more bytes came than were announced');
      exchange.left -= body.length;
      const taken = body.length > 0 ? exchange.sink(body) : undefined;
      if (!taken) {
        if (exchange.left === 0) this.#end();
        return true;
      }
      taken.then(
        () => {
          if (this.#exchange !== exchange) return;
          if (exchange.left === 0) this.#end();
          this.#socket.resume();
        },
        (error) => this.#end(error),
      );
    } catch (error) {
      this.#end(error);
    }
    return false;
  }

  /** @returns what came after the head; undefined while it is incomplete or when it is not a plain one */
  #readHead(exchange: Exchange, bytes: Buffer): Buffer | undefined {
    const head = Buffer.concat([exchange.head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (head.length > MAX_HEAD_BYTES) throw broken('the head of the answer is too long');
      exchange.head = head;
      return undefined;
    }
    const [status = '', ...lines] = head.toString('latin1', 0, end).split('\r\n');
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const length = headers.get('content-length') ?? '';
    const encoded = headers.has('transfer-encoding') || headers.has('content-encoding');
    exchange.plain = /^HTTP\/1\.[01] 20[06] /.test(status) && /^\d{1,15}$/.test(length) && !encoded;
    if (!exchange.plain) {
      this.#reusable = false;
      this.#end();
      return undefined;
    }
    const kept =
      headers.get('connection')?.toLowerCase() ?? (status.startsWith('HTTP/1.1') ? 'keep-alive' : 'close');
    if (kept !== 'keep-alive') this.#reusable = false;
    exchange.left = Number(length);
    return head.subarray(end + 4);
  }

  #end(error?: unknown): void {
    if (error !== undefined || !this.#reusable) this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.settle(error);
  }
}

/** An error that looks like the system's for a connection that ended: asking again may help. */
function broken(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
