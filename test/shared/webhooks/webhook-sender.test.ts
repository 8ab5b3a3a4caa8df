import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../lib/errors/app-error.js';
import { receiveWebhook } from '../../readme/receive-webhook.js';
import type { ReceivedWebhook } from '../../support/servers/webhook-receiver.js';
import {
  asRequest,
  dns,
  FAILED,
  ID,
  LOOPBACK,
  ok,
  passing,
  permanent,
  receiver,
  SECRET,
  SUCCEEDED,
  send,
  sender,
} from './webhook-calls.js';

describe('a delivery', () => {
  test('is a signed POST that functions/api/README.md tells how to receive', async () => {
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
    expect(await receiveWebhook(asRequest(got), SECRET)).toEqual({
      type: 'prediction.succeeded',
      timestamp: SUCCEEDED.completed_at,
      data: SUCCEEDED,
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
    const body = { ...SUCCEEDED, results };
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
