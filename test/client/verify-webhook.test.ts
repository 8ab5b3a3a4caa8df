import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { signWebhook } from '../../functions/shared/webhooks/sign-webhook.js';
import { verifyWebhook, WebhookError } from '../../lib/client/verify-webhook.js';
import { webhookEventSchema } from '../../lib/schemas/webhook.js';
import { ANSWER, DATE, ID, IMAGES, PROBLEM } from './scripts.js';

const SECRET = `whsec_${randomBytes(24).toString('base64')}`;
const OTHER = `whsec_${randomBytes(64).toString('base64')}`;
const base = { id: ID, created_at: DATE, completed_at: DATE };
const EVENTS = [
  { type: 'prediction.succeeded', data: { ...base, ...ANSWER, status: 'succeeded', timings: { unet: 1 } } },
  { type: 'prediction.failed', data: { ...base, status: 'failed', error: PROBLEM } },
].map((event) => JSON.stringify(webhookEventSchema.parse({ ...event, timestamp: DATE })));
const [SUCCEEDED, FAILED] = EVENTS as [string, string];

const sign = (body: string, secret = SECRET, time = Date.now()) =>
  signWebhook({ id: ID, time, body: Buffer.from(body) }, secret);

test('what the service has signed is read, pictures and all', async () => {
  expect(await verifyWebhook(sign(SUCCEEDED), SUCCEEDED, SECRET)).toEqual({
    type: 'prediction.succeeded',
    timestamp: DATE,
    data: {
      id: ID,
      createdAt: DATE,
      completedAt: DATE,
      status: 'succeeded',
      ...IMAGES,
      timings: { unet: 1 },
    },
  });
  expect(await verifyWebhook(sign(FAILED), FAILED, SECRET)).toMatchObject({
    type: 'prediction.failed',
    data: { status: 'failed', error: { detail: PROBLEM.detail, requestId: 'r' } },
  });
});

test('headers and body are taken as a Request, Node and frameworks have them', async () => {
  const headers = sign(FAILED);
  const capitals = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]),
  );
  const bytes = new TextEncoder().encode(FAILED);
  for (const each of [new Headers(headers), headers, capitals]) {
    for (const body of [FAILED, bytes, Buffer.from(FAILED), bytes.buffer]) {
      expect(await verifyWebhook(each, body, SECRET)).toMatchObject({ type: 'prediction.failed' });
    }
  }
});

test('while a secret is changed for another, one of several signatures is enough', async () => {
  const [old, current] = [sign(FAILED, OTHER), sign(FAILED)];
  const both = `v1a,AAAA ${old['webhook-signature']} ${current['webhook-signature']}`;
  const headers = { ...current, 'webhook-signature': both };
  expect(await verifyWebhook(headers, FAILED, SECRET)).toMatchObject({ type: 'prediction.failed' });
});

const now = Date.now();
const good = sign(FAILED);
const cut = (good['webhook-signature'] as string).slice(0, -8);
test.each<[string, Record<string, string | undefined>, unknown, unknown, RegExp]>([
  ['another body', good, FAILED.replace('502', '503'), SECRET, /the signature is wrong/],
  ['another secret', sign(FAILED, OTHER), FAILED, SECRET, /the signature is wrong/],
  ['another id', { ...good, 'webhook-id': 'b' }, FAILED, SECRET, /the signature is wrong/],
  [
    'a part of the signature',
    { ...good, 'webhook-signature': cut },
    FAILED,
    SECRET,
    /the signature is wrong/,
  ],
  ['no base64', { ...good, 'webhook-signature': 'v1,?' }, FAILED, SECRET, /the signature is wrong/],
  ['six minutes ago', sign(FAILED, SECRET, now - 360_000), FAILED, SECRET, /300 s ago/],
  ['in six minutes', sign(FAILED, SECRET, now + 360_000), FAILED, SECRET, /a clock is wrong/],
  ['no time', { ...good, 'webhook-timestamp': 'now' }, FAILED, SECRET, /webhook-timestamp is no number/],
  ['no id', { ...good, 'webhook-id': undefined }, FAILED, SECRET, /webhook-id is missing/],
  ['no signature', { ...good, 'webhook-signature': '' }, FAILED, SECRET, /webhook-signature is missing/],
  ['a parsed body', good, JSON.parse(FAILED), SECRET, /^body: /],
  ['no secret', good, FAILED, undefined, /^secret: must be whsec_/],
  ['half a secret', good, FAILED, SECRET.slice(6), /^secret: must be whsec_/],
])('%s is refused', async (_, headers, body, secret, message) => {
  const error = await verifyWebhook(headers, body as string, secret as string).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(WebhookError);
  expect(error.message).toMatch(message);
});
