import type { LookupAddress } from 'node:dns';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import {
  makeWebhookSender,
  type WebhookSenderProps,
} from '../../../functions/shared/webhooks/webhook-sender.js';
import { AppError } from '../../../lib/errors/app-error.js';
import type { Prediction } from '../../../lib/schemas/prediction.js';
import { receiveWebhook } from '../../readme/receive-webhook.js';
import {
  type Answer,
  type ReceivedWebhook,
  startWebhookReceiver,
  TEST_CERTIFICATE,
  type WebhookReceiver,
} from '../../support/webhook-receiver.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const ID = 'abcdefghijklmnopqrstuvwxyz234567';
const SUCCEEDED: Prediction = {
  id: ID,
  created_at: '2026-11-23T12:00:00.000Z',
  webhook: { status: 'pending', attempts: 0 },
  status: 'succeeded',
  completed_at: '2026-11-23T12:05:00.000Z',
  result: 'aGVsbG8=',
  seed: 42,
  num_steps: 1,
  output_format: 'png',
  decoder: 'vae',
  tokens_cut: 0,
  model: 'demo',
};
const FAILED: Prediction = {
  id: ID,
  created_at: '2026-11-23T12:00:00.000Z',
  status: 'failed',
  completed_at: '2026-11-23T12:05:00.000Z',
  error: { type: 'about:blank', title: 'Bad Gateway', status: 502, detail: 'no', request_id: 'r' },
};

/** Stands for a public address in these tests. Everything else is refused. */
const LOOPBACK = '127.0.0.1';
const NO_ADDRESS = "the webhook's host has no public address";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function receiver(answer: Answer): Promise<WebhookReceiver> {
  const started = await startWebhookReceiver(answer);
  running.push(started);
  return started;
}

const ok: Answer = (_, response) => response.writeHead(200).end();
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end('what is behind the name');

/** A resolver that answers with each list in turn, and with the last one from then on. */
function dns(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = async (name: string): Promise<LookupAddress[]> => {
    const addresses = answers[Math.min(asked.push(name), answers.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
}

function sender(props: Partial<WebhookSenderProps> = {}) {
  return makeWebhookSender({
    secret: async () => SECRET,
    isAllowed: (address) => address === LOOPBACK,
    resolve: dns([LOOPBACK]).resolve,
    ca: TEST_CERTIFICATE,
    ...props,
  });
}

const send = (url: string, props: Partial<WebhookSenderProps> = {}, body: Prediction = SUCCEEDED) =>
  sender(props)({ url, id: ID, body });

const permanent = (error: string) => ({ delivered: false, retryable: false, error });
const passing = (error: string) => ({ delivered: false, retryable: true, error });

function asRequest({ body, headers }: ReceivedWebhook): Request {
  return new Request('https://webhook.test/', { method: 'POST', body, headers });
}

describe('a delivery', () => {
  test('is a signed POST that the README tells how to receive', async () => {
    const { port, received } = await receiver(ok);
    expect(await send(`https://webhook.test:${port}/hook?token=1`)).toEqual({ delivered: true });
    expect(received).toHaveLength(1);
    const [got] = received as [ReceivedWebhook];
    expect(got).toMatchObject({ method: 'POST', path: '/hook?token=1', address: LOOPBACK });
    expect(got.headers).toMatchObject({
      host: `webhook.test:${port}`,
      'content-type': 'application/json',
      'content-length': String(got.body.length),
      'user-agent': 'sd-turbo-serverless',
      'webhook-id': ID,
      connection: 'close',
    });
    const { webhook: _, ...data } = SUCCEEDED;
    expect(await receiveWebhook(asRequest(got), SECRET)).toEqual({
      type: 'prediction.succeeded',
      timestamp: SUCCEEDED.completed_at,
      data,
    });
  });

  test('that was tampered with, or signed by another, is not accepted', async () => {
    const { port, received } = await receiver(ok);
    await send(`https://webhook.test:${port}/`);
    const [got] = received as [ReceivedWebhook];
    const forged = asRequest({ ...got, body: got.body.replace('42', '43') });
    await expect(receiveWebhook(forged, SECRET)).rejects.toThrow('No matching signature');
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    await expect(receiveWebhook(asRequest(got), other)).rejects.toThrow('No matching signature');
  });

  test('carries the time of the attempt', async () => {
    const { port, received } = await receiver(ok);
    await send(`https://webhook.test:${port}/`, { now: () => 1_614_265_330_999 });
    const [got] = received as [ReceivedWebhook];
    expect(got.headers['webhook-timestamp']).toBe('1614265330');
    const expected = new Webhook(SECRET).sign(ID, new Date(1_614_265_330_000), got.body);
    expect(got.headers['webhook-signature']).toBe(expected);
  });

  test('tells of a failure too', async () => {
    const { port, received } = await receiver(ok);
    expect(await send(`https://webhook.test:${port}/`, {}, FAILED)).toEqual({ delivered: true });
    const event = await receiveWebhook(asRequest(received[0] as ReceivedWebhook), SECRET);
    expect(event).toEqual({ type: 'prediction.failed', timestamp: FAILED.completed_at, data: FAILED });
  });

  test('may be as large as four pictures', async () => {
    const { port, received } = await receiver(ok);
    const results = Array.from({ length: 4 }, () => 'A'.repeat(1_400_000));
    const body = { ...SUCCEEDED, results } as Prediction;
    expect(await send(`https://webhook.test:${port}/`, {}, body)).toEqual({ delivered: true });
    expect(JSON.parse(received[0]?.body ?? '').data.results).toEqual(results);
  });

  test('opens a connection each time', async () => {
    const { port, connections } = await receiver(ok);
    const sendWebhook = sender();
    for (let count = 1; count <= 3; count++) {
      await sendWebhook({ url: `https://webhook.test:${port}/`, id: ID, body: SUCCEEDED });
      expect(connections()).toBe(count);
    }
  });
});

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
    running.pop();
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
  running.push({
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
  return { port: (server.address() as AddressInfo).port };
}

describe('a name', () => {
  test('is resolved once: what was checked is what is connected to', async () => {
    const { port, received } = await receiver(ok);
    const { asked, resolve } = dns([LOOPBACK], ['127.0.0.2']);
    const checked: string[] = [];
    const isAllowed = (address: string) => checked.push(address) > 0 && address === LOOPBACK;
    expect(await send(`https://webhook.test:${port}/`, { resolve, isAllowed })).toEqual({ delivered: true });
    expect(asked).toEqual(['webhook.test']);
    expect(checked).toEqual([LOOPBACK]);
    expect(received[0]?.address).toBe(LOOPBACK);
  });

  test('that has turned to a private address by the redirect is refused there', async () => {
    const { port, connections } = await receiver(status(307, { location: '/again' }));
    const { asked, resolve } = dns([LOOPBACK], ['127.0.0.2']);
    expect(await send(`https://webhook.test:${port}/`, { resolve })).toEqual(permanent(NO_ADDRESS));
    expect(asked).toEqual(['webhook.test', 'webhook.test']);
    expect(connections()).toBe(1);
  });

  test.each([
    ['a private address', ['10.0.0.1']],
    ['a private one after a public one', [LOOPBACK, '10.0.0.1']],
    ['a private one before a public one', ['169.254.169.254', LOOPBACK]],
    ['a mapped one', ['::ffff:127.0.0.1']],
  ])('with %s is refused', async (_, addresses) => {
    const { port, connections } = await receiver(ok);
    const { resolve } = dns(addresses);
    expect(await send(`https://webhook.test:${port}/`, { resolve })).toEqual(permanent(NO_ADDRESS));
    expect(connections()).toBe(0);
  });

  test('that is unknown, or has no address, may be tried again, and is not told from a private one', async () => {
    const unknown = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND webhook.test'), { code: 'ENOTFOUND' });
    };
    expect(await send('https://webhook.test/', { resolve: unknown })).toEqual(passing(NO_ADDRESS));
    expect(await send('https://webhook.test/', { resolve: dns([]).resolve })).toEqual(passing(NO_ADDRESS));
  });
});

describe('redirects', () => {
  test.each([307, 308])('%i is followed with method, body and signature', async (code) => {
    const { port, received } = await receiver((request, response) => {
      if (request.path === '/first') response.writeHead(code, { location: '../second?x=1' });
      response.end();
    });
    const { asked, resolve } = dns([LOOPBACK]);
    expect(await send(`https://webhook.test:${port}/first`, { resolve })).toEqual({ delivered: true });
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /first',
      'POST /second?x=1',
    ]);
    const [first, second] = received as [ReceivedWebhook, ReceivedWebhook];
    expect(second.body).toBe(first.body);
    expect(second.headers).toEqual(first.headers);
    expect(asked).toHaveLength(2);
  });

  test('lead to other hosts', async () => {
    const { port, received } = await receiver((request, response) => {
      const here = request.headers['host']?.startsWith('other.test');
      response.writeHead(here ? 200 : 308, { location: `https://other.test:${port}/` }).end();
    });
    const { asked, resolve } = dns([LOOPBACK]);
    expect(await send(`https://webhook.test:${port}/`, { resolve })).toEqual({ delivered: true });
    expect(asked).toEqual(['webhook.test', 'other.test']);
    expect(received).toHaveLength(2);
  });

  test.each([301, 302, 303])('%i is not followed', async (code) => {
    const { port, received } = await receiver(status(code, { location: '/second' }));
    expect(await send(`https://webhook.test:${port}/`)).toEqual(
      passing(`the webhook answered ${code}, a redirect that is not followed: give the final URL`),
    );
    expect(received).toHaveLength(1);
  });

  test('three are followed, a fourth is not', async () => {
    const chain =
      (length: number): Answer =>
      (_, response, index) =>
        response.writeHead(index < length ? 307 : 200, { location: `/${index}` }).end();
    const three = await receiver(chain(3));
    expect(await send(`https://webhook.test:${three.port}/`)).toEqual({ delivered: true });
    const four = await receiver(chain(4));
    const outcome = await send(`https://webhook.test:${four.port}/`);
    expect(outcome).toEqual(passing('the webhook redirected more than 3 times'));
    expect(four.received).toHaveLength(4);
  });

  test('to nowhere are failures', async () => {
    const { port } = await receiver(status(307));
    expect(await send(`https://webhook.test:${port}/`)).toMatchObject({ delivered: false, retryable: true });
  });

  test('share one limit of time', async () => {
    const { port, received } = await receiver((_, response, index) => {
      if (index === 0) response.writeHead(307, { location: '/second' }).end();
    });
    const timeouts = { connectMs: 60_000, totalMs: 2_000 };
    const outcome = await send(`https://webhook.test:${port}/`, { timeouts });
    expect(outcome).toEqual(passing('the webhook did not answer in time'));
    expect(received).toHaveLength(2);
  });

  test.each([
    ['https://169.254.169.254/latest/meta-data/', NO_ADDRESS],
    ['https://[::1]:PORT/', NO_ADDRESS],
    ['//2130706434:PORT/', NO_ADDRESS],
    ['https://private.test:PORT/', NO_ADDRESS],
    ['http://webhook.test:PORT/', 'the webhook URL must be https'],
    ['file:///etc/passwd', 'the webhook URL must be https'],
    ['https://user:word@webhook.test:PORT/', 'the webhook URL must not hold a user name or a password'],
    ['https://', 'the webhook has no valid URL'],
  ])('to %s are refused', async (location, error) => {
    const { port, received, connections } = await receiver((_, response) =>
      response.writeHead(307, { location: location.replace('PORT', String(port)) }).end(),
    );
    const resolve = async (name: string) => [
      { address: name === 'private.test' ? '127.0.0.2' : LOOPBACK, family: 4 },
    ];
    expect(await send(`https://webhook.test:${port}/`, { resolve })).toEqual(permanent(error));
    expect(received).toHaveLength(1);
    expect(connections()).toBe(1);
  });
});

describe('with the real check and the real resolver', () => {
  const real = makeWebhookSender({ secret: async () => SECRET, ca: TEST_CERTIFICATE });

  test.each([
    ...['localhost', 'LOCALHOST', '127.0.0.1', '127.0.0.1.', '127.1', '127.0.1', '0'],
    ...[
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '１２７.0.0.1',
      '%31%32%37.0.0.1',
    ],
    ...[
      '127。0。0。1',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
    ],
    ...['[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '[::]', '0.0.0.0'],
  ])('https://%s is refused before a connection', async (host) => {
    const { port, connections } = await receiver(ok);
    const outcome = await real({ url: `https://${host}:${port}/`, id: ID, body: SUCCEEDED });
    expect(outcome).toEqual(permanent(NO_ADDRESS));
    expect(connections()).toBe(0);
  });
});

describe('a call that cannot be made', () => {
  const SECRETS = /token|hunter2|whsec|webhook\.test/;

  test.each([
    ['http://webhook.test/?token=hunter2', 'the webhook URL must be https'],
    ['ftp://webhook.test/?token=hunter2', 'the webhook URL must be https'],
    ['https://user:hunter2@webhook.test/', 'the webhook URL must not hold a user name or a password'],
    ['https://hunter2@webhook.test/', 'the webhook URL must not hold a user name or a password'],
    ['webhook.test/?token=hunter2', 'the webhook has no valid URL'],
    ['https://[fe80::1%25eth0]/?token=hunter2', 'the webhook has no valid URL'],
    ['', 'the webhook has no valid URL'],
  ])('%s is refused for good', async (url, error) => {
    const { asked, resolve } = dns([LOOPBACK]);
    const outcome = await send(url, { resolve });
    expect(outcome).toEqual(permanent(error));
    expect(JSON.stringify(outcome)).not.toMatch(SECRETS);
    expect(asked).toEqual([]);
  });

  test.each([
    ['cannot be read', () => Promise.reject(new AppError('NOT_FOUND', 'no SSM parameter /my/secret'))],
    ['is none', async () => 'whsec_short'],
  ])('because its secret %s may be made later, without a word of why', async (_, secret) => {
    const { port, connections } = await receiver(ok);
    const outcome = await send(`https://webhook.test:${port}/`, { secret });
    expect(outcome).toEqual(passing('the webhook could not be signed'));
    expect(connections()).toBe(0);
  });
});
