import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { AppError } from '../../lib/errors/app-error.js';
import { answerUnreadable, refuseUnparsed } from './unreadable-request.js';

/** Longest path that is shown: of ours none is nearly as long. Characters. */
const MAX_PATH = 200;
/** A connection that has been answered is of no use to a server that stops. Milliseconds. */
const LAST_KEEP_ALIVE_MS = 1;

export interface HomeServerProps {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  readonly port: number;
  /** Told of every request that has been answered: method, path, status, milliseconds, its id where the answer has one. */
  readonly onAnswer: (line: string) => void;
}

/** A `Request -> Response` function on a socket of this machine. */
export class HomeServer {
  readonly #server: Server;
  readonly #props: HomeServerProps;
  /** Requests that only wait for something to be over. */
  readonly #polls = new Set<AbortController>();

  private constructor(props: HomeServerProps) {
    this.#props = props;
    const options = { errorHandler: answerUnreadable };
    const listener = getRequestListener((request) => this.#answer(request), options);
    // A request without a Host gets an answer like all others.
    this.#server = createServer({ requireHostHeader: false }, listener);
    this.#server.on('clientError', refuseUnparsed);
    // What a caller expects that is not 100-continue is its own affair. RFC 9110, 10.1.1.
    this.#server.on('checkExpectation', listener);
  }

  /** @throws AppError UNAVAILABLE where the port cannot be had */
  static async listen(props: HomeServerProps): Promise<HomeServer> {
    const { host, port } = props;
    const server = new HomeServer(props);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', (error) => reject(cannotListen(error, host, port)));
      server.#server.listen(port, host, resolve);
    });
    return server;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Takes no new connection, ends what only waits, and lets the others finish for `drainMs`. */
  async close(drainMs: number): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.keepAliveTimeout = LAST_KEEP_ALIVE_MS;
    for (const poll of this.#polls) poll.abort();
    const stop = new AbortController();
    await Promise.race([closed, pause(drainMs, undefined, stop).catch(() => undefined)]);
    stop.abort();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: Request): Promise<Response> {
    const started = performance.now();
    const response = await (request.method === 'GET' ? this.#poll(request) : this.#props.fetch(request));
    const path = new URL(request.url).pathname.slice(0, MAX_PATH);
    const milliseconds = Math.round(performance.now() - started);
    const id = response.headers.get('x-request-id');
    const line = `${request.method} ${path} ${response.status} ${milliseconds} ms`;
    this.#props.onAnswer(id === null ? line : `${line} ${id}`);
    return response;
  }

  async #poll(request: Request): Promise<Response> {
    const poll = new AbortController();
    this.#polls.add(poll);
    request.signal.addEventListener('abort', () => poll.abort(), { once: true });
    try {
      return await this.#props.fetch(new Request(request, { signal: poll.signal }));
    } finally {
      this.#polls.delete(poll);
    }
  }
}

function cannotListen(cause: Error, host: string, port: number): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new AppError('UNAVAILABLE', `port ${port} is taken: choose another one with --port`, { cause });
  }
  const hint = code === 'EACCES' ? 'choose another port with --port' : 'see --host and --port';
  return new AppError('UNAVAILABLE', `cannot listen on ${host}, port ${port} (${code}): ${hint}`, { cause });
}
