import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** `reset` breaks the connection, `silence` never answers. */
  readonly instead?: 'reset' | 'silence';
}

export interface ScriptedService {
  readonly url: string;
  /** All but the looks at the health. */
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

/** A service that answers with what it is told to, one answer after the other, on a real socket. */
export async function startScriptedService(
  answers: ScriptedAnswer[],
  health: unknown,
): Promise<ScriptedService> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const { method = '', url: path = '', headers } = request;
    if (path.endsWith('/health')) return void response.end(JSON.stringify(health));
    seen.push({ method, path, headers, body: text === '' ? undefined : JSON.parse(text) });
    const answer = answers.shift();
    if (!answer) return void response.writeHead(418).end('{"detail":"the script is over"}');
    if (answer.instead === 'reset') return void request.socket.destroy();
    if (answer.instead === 'silence') return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/prod`,
    seen,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
