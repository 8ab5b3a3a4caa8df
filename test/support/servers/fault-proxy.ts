import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * What S3 and the network do on bad days. `after` and `at` are bytes of the body.
 *
 * - `status`: an error of S3's, in its XML; chunked, as S3 sends it
 * - `reset`, `cut`: the connection ends in mid-body, with RST or FIN
 * - `stall`: the body stops, the connection stays; `hang`: not even a head comes
 * - `short`: a complete answer with fewer bytes than asked for; `long`: with more
 * - `flip`: one bit is wrong
 * - `slow`: the body comes at this rate, a little every 20 ms
 */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  | { readonly kind: 'reset' | 'cut' | 'stall' | 'short'; readonly after: number }
  | { readonly kind: 'flip'; readonly at: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  | { readonly kind: 'hang' | 'long' };

export interface ProxiedRequest {
  readonly method: string;
  /** Decoded, without the query: `/bucket/key`. */
  readonly path: string;
  /** As sent: `bytes=0-99`. */
  readonly range: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
}

export interface FaultProxy {
  readonly url: string;
  /** All that came, in order. */
  readonly requests: ProxiedRequest[];
  /** Bytes of bodies that were sent to the client so far. */
  readonly bytesSent: () => number;
  /** Requests whose answer is neither complete nor given up. */
  readonly openTransfers: () => number;
  stop(): Promise<void>;
}

export interface FaultProxyProps {
  /** Where requests are passed on to: `http://host:port`. */
  readonly target: string;
  /** Asked once for each request. */
  readonly faultFor: (request: ProxiedRequest) => Fault | undefined;
  /** @default plain HTTP */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** An HTTP proxy before one server, on a free port of this machine. */
export async function startFaultProxy(props: FaultProxyProps): Promise<FaultProxy> {
  const requests: ProxiedRequest[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const sent = { bytes: 0 };
  const open = new Set<http.ServerResponse>();
  const answer = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
    const request: ProxiedRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent((incoming.url ?? '').split('?')[0] ?? ''),
      range: incoming.headers.range,
      headers: incoming.headers,
    };
    requests.push(request);
    const fault = props.faultFor(request);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'status') return sendError(outgoing, fault.status, fault.code);
    const { status, headers, body } = await passOn(props.target, agent, incoming);
    // It tells the length of a body that does not come.
    if (request.method === 'HEAD') return void outgoing.writeHead(status, headers).end();
    await sendBody(outgoing, status, headers, body, fault, sent);
  };
  const listener = (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
    open.add(outgoing);
    outgoing.once('close', () => open.delete(outgoing));
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  };
  const server = props.tls ? https.createServer(props.tls, listener) : http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${props.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    bytesSent: () => sent.bytes,
    openTransfers: () => open.size,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function passOn(target: string, agent: http.Agent, incoming: http.IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { agent, method: incoming.method ?? 'GET', headers: incoming.headers };
    const request = http.request(new URL(incoming.url ?? '/', target), options, async (response) => {
      try {
        const pieces: Buffer[] = [];
        for await (const piece of response) pieces.push(piece);
        resolve({
          status: response.statusCode ?? 502,
          headers: response.headers,
          body: Buffer.concat(pieces),
        });
      } catch (error) {
        reject(error);
      }
    });
    request.once('error', reject);
    incoming.pipe(request);
  });
}

function sendError(outgoing: http.ServerResponse, status: number, code: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'FAULT' });
  outgoing.write('<?xml version="1.0" encoding="UTF-8"?>\n');
  outgoing.end(`<Error><Code>${code}</Code><Message>injected</Message><RequestId>FAULT</RequestId></Error>`);
}

async function sendBody(
  outgoing: http.ServerResponse,
  status: number,
  headers: http.IncomingHttpHeaders,
  body: Buffer,
  fault: Fault | undefined,
  sent: { bytes: number },
): Promise<void> {
  const { connection: _, 'transfer-encoding': __, ...kept } = headers;
  const after = fault && 'after' in fault ? Math.min(fault.after, body.length) : body.length;
  let bytes = body;
  if (fault?.kind === 'short') bytes = body.subarray(0, after);
  if (fault?.kind === 'long') bytes = Buffer.concat([body, Buffer.alloc(1000)]);
  if (fault?.kind === 'flip') {
    bytes = Buffer.from(body);
    bytes[fault.at % bytes.length] = (bytes[fault.at % bytes.length] ?? 0) ^ 1;
  }
  outgoing.writeHead(status, { ...kept, 'content-length': bytes.length });
  if (fault?.kind === 'slow') return drip(outgoing, bytes, fault.bytesPerSecond, sent);
  if (fault?.kind !== 'reset' && fault?.kind !== 'cut' && fault?.kind !== 'stall') {
    outgoing.end(bytes);
    sent.bytes += bytes.length;
    return;
  }
  // What was written has to be on its way before a reset throws it away.
  await new Promise((resolve) => outgoing.write(bytes.subarray(0, after), resolve));
  sent.bytes += after;
  if (after === 0) outgoing.flushHeaders();
  if (fault.kind === 'reset') outgoing.socket?.resetAndDestroy();
  if (fault.kind === 'cut') outgoing.socket?.end();
}

async function drip(
  outgoing: http.ServerResponse,
  bytes: Buffer,
  bytesPerSecond: number,
  sent: { bytes: number },
): Promise<void> {
  const tick = 20;
  const step = Math.max(1, Math.round((bytesPerSecond * tick) / 1000));
  for (let at = 0; at < bytes.length && !outgoing.destroyed; at += step) {
    const piece = bytes.subarray(at, at + step);
    outgoing.write(piece);
    sent.bytes += piece.length;
    await wait(tick);
  }
  outgoing.end();
}
