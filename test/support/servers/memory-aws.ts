import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 5;

export interface MemoryAws {
  /** Of S3 and SQS. */
  readonly url: string;
  /** Where messages go that `send` puts in. */
  readonly queueUrl: string;
  /** Told of each object that is written, in order, by its path: `/bucket/key`. */
  onPut: (path: string, body: string) => void;
  put(path: string, body: string): void;
  send(body: string): void;
  stop(): Promise<void>;
}

interface Queued {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  receives: number;
  /** Milliseconds since 1970. */
  hiddenUntil: number;
}

/**
 * As much of S3 and SQS as a worker asks for, where there is no moto: whole objects with conditions, ranges of files, one
 * queue. Below `/weights/` it serves a folder.
 */
export async function startMemoryAws(weights: string): Promise<MemoryAws> {
  const objects = new Map<string, string>();
  const messages = new Map<string, Queued>();
  const server = http.createServer(async (incoming, outgoing) => {
    const path = decodeURIComponent((incoming.url ?? '').split('?')[0] ?? '');
    const operation = String(incoming.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    if (operation) sendJson(outgoing, await answerSqs(operation, JSON.parse(body), messages));
    else if (path.startsWith('/weights/'))
      sendFile(outgoing, join(weights, path.slice(9)), incoming.headers.range);
    else if (incoming.method === 'PUT') {
      const there = objects.get(path);
      const { 'if-match': match, 'if-none-match': none } = incoming.headers;
      const isMet =
        none === undefined ? match === undefined || match === etagOf(there ?? '') : there === undefined;
      if (isMet) objects.set(path, body);
      if (isMet) aws.onPut(path, body);
      outgoing.writeHead(isMet ? 200 : 412, { etag: etagOf(body) }).end();
    } else {
      const there = objects.get(path);
      const headers = { etag: etagOf(there ?? ''), 'content-length': Buffer.byteLength(there ?? '') };
      outgoing.writeHead(there === undefined ? 404 : 200, headers).end(there);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const aws: MemoryAws = {
    url,
    queueUrl: `${url}/123456789012/draw`,
    onPut: () => undefined,
    put: (path, body) => void objects.set(path, body),
    send(body) {
      const id = randomUUID();
      messages.set(id, { id, body, sentAt: Date.now(), receives: 0, hiddenUntil: 0 });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return aws;
}

interface SqsOrder {
  readonly WaitTimeSeconds?: number;
  readonly VisibilityTimeout?: number;
  readonly ReceiptHandle?: string;
}

async function answerSqs(operation: string, order: SqsOrder, messages: Map<string, Queued>): Promise<object> {
  const { WaitTimeSeconds = 0, VisibilityTimeout = 60, ReceiptHandle = '' } = order;
  const hiddenUntil = Date.now() + VisibilityTimeout * 1000;
  const held = messages.get(ReceiptHandle);
  if (operation === 'DeleteMessage') messages.delete(ReceiptHandle);
  if (operation === 'ChangeMessageVisibility' && held) held.hiddenUntil = hiddenUntil;
  if (operation !== 'ReceiveMessage') return {};
  for (const end = Date.now() + WaitTimeSeconds * 1000; ; await pause(POLL_MS)) {
    const message = [...messages.values()].find((each) => each.hiddenUntil < Date.now());
    if (!message && Date.now() >= end) return {};
    if (!message) continue;
    message.receives++;
    message.hiddenUntil = Date.now() + VisibilityTimeout * 1000;
    const { id, body, sentAt, receives } = message;
    const Attributes = { SentTimestamp: String(sentAt), ApproximateReceiveCount: String(receives) };
    const MD5OfBody = createHash('md5').update(body).digest('hex');
    return { Messages: [{ MessageId: id, ReceiptHandle: id, Body: body, MD5OfBody, Attributes }] };
  }
}

function sendJson(outgoing: http.ServerResponse, answer: object): void {
  outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
}

function sendFile(outgoing: http.ServerResponse, file: string, range: string | undefined): void {
  if (!existsSync(file)) return void outgoing.writeHead(404).end();
  const { size } = statSync(file);
  const [, first = '0', last = String(size - 1)] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const [start, end] = [Number(first), Math.min(Number(last), size - 1)];
  const headers = { 'content-length': end - start + 1, etag: '"1"' };
  const told = range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` };
  outgoing.writeHead(range === undefined ? 200 : 206, { ...headers, ...told });
  if (end < start) outgoing.end();
  else createReadStream(file, { start, end, highWaterMark: 1 << 20 }).pipe(outgoing);
}

function etagOf(body: string): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
