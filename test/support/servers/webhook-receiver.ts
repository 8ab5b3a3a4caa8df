import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../reference.js';

const FOLDER = join(ROOT, 'test/fixtures/tls');
const KEY = readFileSync(join(FOLDER, 'test-only-key.pem'), 'utf8');

/** Names `webhook.test`, `other.test` and `127.0.0.1`. */
export const TEST_CERTIFICATE = readFileSync(join(FOLDER, 'test-only-certificate.pem'), 'utf8');

export interface ReceivedWebhook {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** The address of this machine that was connected to. */
  readonly address: string;
}

export interface WebhookReceiver {
  readonly port: number;
  readonly received: readonly ReceivedWebhook[];
  /** Connections that were opened, with a request or without. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

export type Answer = (request: ReceivedWebhook, response: ServerResponse, index: number) => void;

/** An HTTPS server on loopback that keeps what it is sent. */
export async function startWebhookReceiver(answer: Answer): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let connections = 0;
  const server = createServer({ key: KEY, cert: TEST_CERTIFICATE }, async (request, response) => {
    const webhook = await receive(request).catch(() => undefined);
    if (webhook) answer(webhook, response, received.push(webhook) - 1);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connections: () => connections,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(request: IncomingMessage): Promise<ReceivedWebhook> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
    body: Buffer.concat(pieces).toString('utf8'),
    address: request.socket.localAddress ?? '',
  };
}
