import { describe, expect, test } from 'vitest';
import { makeWebhookSender } from '../../../functions/shared/webhooks/webhook-sender.js';
import {
  type Answer,
  type ReceivedWebhook,
  TEST_CERTIFICATE,
} from '../../support/servers/webhook-receiver.js';
import {
  dns,
  ID,
  LOOPBACK,
  NO_ADDRESS,
  ok,
  passing,
  permanent,
  receiver,
  SECRET,
  SUCCEEDED,
  send,
  status,
} from './webhook-calls.js';

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
