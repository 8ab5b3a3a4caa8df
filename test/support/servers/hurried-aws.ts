import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HurriedAws {
  readonly url: string;
  /** Delays that were asked for, in order. Seconds. */
  readonly delays: number[];
  /** Visibility timeouts that were asked for, in order. Seconds. */
  readonly visibilities: number[];
  stop(): Promise<void>;
}

/**
 * An HTTP proxy before moto that keeps nobody waiting: SQS's delays and visibility timeouts are noted and passed on
 * as `leastSeconds` at most. Conditional writes go through one at a time: S3 does them atomically, moto looks first and writes then.
 */
export async function startHurriedAws(target: string, leastSeconds = 0): Promise<HurriedAws> {
  const [delays, visibilities]: [number[], number[]] = [[], []];
  const agent = new http.Agent({ keepAlive: true });
  let writing: Promise<unknown> = Promise.resolve();
  const server = http.createServer(async (incoming, outgoing) => {
    const body = hurry(
      incoming.headers['x-amz-target'],
      await readAll(incoming),
      leastSeconds,
      delays,
      visibilities,
    );
    const pass = () => passOn(target, agent, incoming, body, outgoing);
    const { 'if-match': match, 'if-none-match': none } = incoming.headers;
    if (incoming.method === 'PUT' && (match ?? none)) writing = writing.then(pass, pass);
    else void pass();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    delays,
    visibilities,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function hurry(
  operation: string | string[] | undefined,
  body: Buffer,
  leastSeconds: number,
  delays: number[],
  visibilities: number[],
): Buffer {
  if (operation !== 'AmazonSQS.SendMessage' && operation !== 'AmazonSQS.ChangeMessageVisibility') return body;
  const asked = JSON.parse(body.toString()) as { DelaySeconds?: number; VisibilityTimeout?: number };
  if (asked.DelaySeconds !== undefined) {
    delays.push(asked.DelaySeconds);
    asked.DelaySeconds = Math.min(asked.DelaySeconds, leastSeconds);
  }
  if (asked.VisibilityTimeout !== undefined) {
    visibilities.push(asked.VisibilityTimeout);
    asked.VisibilityTimeout = Math.min(asked.VisibilityTimeout, leastSeconds);
  }
  return Buffer.from(JSON.stringify(asked));
}

async function readAll(stream: http.IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

function passOn(
  target: string,
  agent: http.Agent,
  incoming: http.IncomingMessage,
  body: Buffer,
  outgoing: http.ServerResponse,
): Promise<void> {
  return new Promise((resolve) => {
    const headers = { ...incoming.headers, 'content-length': String(body.length) };
    delete headers['transfer-encoding'];
    const { method } = incoming;
    const request = http.request(target + incoming.url, { method, headers, agent }, async (answer) => {
      const bytes = await readAll(answer);
      const { 'transfer-encoding': _, connection: __, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, { ...kept, 'content-length': String(bytes.length) });
      outgoing.end(bytes);
      resolve();
    });
    request.on('error', () => {
      outgoing.destroy();
      resolve();
    });
    request.end(body);
  });
}
