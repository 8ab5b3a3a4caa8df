import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeWebhookSender } from '../../../functions/shared/webhooks/webhook-sender.js';
import {
  dns,
  ID,
  LOOPBACK,
  ok,
  passing,
  permanent,
  receiver,
  SECRET,
  SUCCEEDED,
  send,
  status,
} from './webhook-calls.js';

describe('an answer', () => {
  test.each([200, 201, 202, 204, 299])('%i is a delivery', async (code) => {
    const { port } = await receiver(status(code));
    expect(await send(`https://webhook.test:${port}/`)).toEqual({ delivered: true });
  });

  test('410 ends it', async () => {
    const { port } = await receiver(status(410));
    const outcome = await send(`https://webhook.test:${port}/`);
    expect(outcome).toEqual(permanent('the webhook answered 410: it wants no more'));
  });

  test.each([300, 304, 400, 401, 403, 404, 408, 413, 425, 429, 500, 502, 503, 504, 599])(
    '%i may be tried again, and nothing of the body is told',
    async (code) => {
      const { port } = await receiver(status(code));
      const outcome = await send(`https://webhook.test:${port}/?secret=1`);
      const hint = code < 400 ? ', a redirect that is not followed: give the final URL' : '';
      expect(outcome).toEqual(passing(`the webhook answered ${code}${hint}`));
    },
  );

  test('without end is not read', async () => {
    let written = 0;
    let closed = false;
    const { port } = await receiver((_, response) => {
      const piece = Buffer.alloc(64 * 1024);
      const write = () => {
        while (!response.destroyed && response.write(piece)) written += piece.length;
      };
      response.on('drain', write).on('close', () => {
        closed = true;
      });
      response.writeHead(200);
      write();
    });
    expect(await send(`https://webhook.test:${port}/`)).toEqual({ delivered: true });
    await expect.poll(() => closed).toBe(true);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test.each([
    [
      'a head without end',
      (socket: Socket) => flood(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(1_000)),
    ],
    ['another protocol', (socket: Socket) => socket.end('220 mail.test ESMTP\r\n')],
    [
      'an upgrade',
      (socket: Socket) => socket.write('HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['silence', (socket: Socket) => socket.destroy()],
  ])('that is %s is a failed connection', async (_, behave) => {
    const { port } = await receiver((_, response) => behave(response.socket as Socket));
    const outcome = await send(`https://webhook.test:${port}/`);
    expect(outcome).toEqual(passing('the connection to the webhook failed'));
  });

  test('that never comes is waited for so long only', async () => {
    const { port, received } = await receiver(() => undefined);
    const outcome = await send(`https://webhook.test:${port}/`, {
      timeouts: { connectMs: 60_000, totalMs: 1_000 },
    });
    expect(outcome).toEqual(passing('the webhook did not answer in time'));
    expect(received).toHaveLength(1);
  });

  test('that is announced for ever is waited for so long only', async () => {
    const { port } = await receiver((_, response) => {
      const timer = setInterval(() => response.writeProcessing(), 10);
      response.on('close', () => clearInterval(timer));
    });
    const outcome = await send(`https://webhook.test:${port}/`, {
      timeouts: { connectMs: 60_000, totalMs: 1_000 },
    });
    expect(outcome).toEqual(passing('the webhook did not answer in time'));
  });
});

function flood(socket: Socket, head: string, piece: string): void {
  socket.on('error', () => undefined);
  const write = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.write(head);
  socket.on('drain', write);
  write();
}

describe('a connection', () => {
  const quick = { timeouts: { connectMs: 200, totalMs: 60_000 } };
  const late = passing('the webhook could not be connected to in time');

  test('without a TLS handshake is given up', async () => {
    const { port } = await silentServer();
    expect(await send(`https://webhook.test:${port}/`, quick)).toEqual(late);
  });

  test('whose name is never resolved is given up', async () => {
    const resolve = () => new Promise<never>(() => undefined);
    expect(await send('https://webhook.test/', { ...quick, resolve })).toEqual(late);
  });

  test('has that limit no longer once it is up', async () => {
    const connectMs = 1_000;
    const { port } = await receiver((_, response) => {
      setTimeout(() => response.end(), 1.5 * connectMs);
    });
    const timeouts = { connectMs, totalMs: 60_000 };
    expect(await send(`https://webhook.test:${port}/`, { timeouts })).toEqual({ delivered: true });
  });

  test('that is refused may be tried again', async () => {
    const { port, stop } = await receiver(ok);
    await stop();
    const outcome = await send(`https://webhook.test:${port}/`);
    expect(outcome).toEqual(passing('the connection to the webhook failed'));
  });

  test('needs a certificate that is trusted', async () => {
    const { port, received } = await receiver(ok);
    const { resolve } = dns([LOOPBACK]);
    const trusting = makeWebhookSender({ secret: async () => SECRET, isAllowed: () => true, resolve });
    const untrusted = passing("the webhook's TLS certificate was not accepted");
    const call = { url: `https://webhook.test:${port}/`, id: ID, body: SUCCEEDED };
    expect(await trusting(call)).toEqual(untrusted);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await trusting(call)).toEqual(untrusted);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(received).toEqual([]);
  });

  test('needs a certificate for this name', async () => {
    const { port, received } = await receiver(ok);
    const outcome = await send(`https://unnamed.test:${port}/`);
    expect(outcome).toEqual(passing("the webhook's TLS certificate was not accepted"));
    expect(received).toEqual([]);
  });
});

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ port: number }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}
