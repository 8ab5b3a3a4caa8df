import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signWebhook } from '../../../functions/shared/webhooks/sign-webhook.js';
import { AppError } from '../../../lib/errors/app-error.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

test('the example of the Standard Webhooks libraries', () => {
  // Source: their own tests; standardwebhooks 1.1.1 gives the same.
  const [id, seconds, text] = ['msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}'];
  const headers = signWebhook({ id, time: seconds * 1000 + 999, body: Buffer.from(text) }, SECRET);
  expect(headers).toEqual({
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  expect(new Webhook(SECRET).sign(id, new Date(seconds * 1000), text)).toBe(headers['webhook-signature']);
});

test('standardwebhooks signs anything in the same way', () => {
  const message = fc.record({
    id: fc.stringMatching(/^[a-z2-7]{32}$/),
    seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    text: fc.string({ unit: 'grapheme' }),
    key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
  });
  fc.assert(
    fc.property(message, ({ id, seconds, text, key }) => {
      const secret = `whsec_${Buffer.from(key).toString('base64')}`;
      const headers = signWebhook({ id, time: seconds * 1000, body: Buffer.from(text) }, secret);
      const theirs = new Webhook(secret).sign(id, new Date(seconds * 1000), text);
      expect(headers['webhook-signature']).toBe(theirs);
    }),
  );
});

test.each([
  ['no prefix', randomBytes(32).toString('base64')],
  ['nothing', ''],
  ['23 bytes', `whsec_${randomBytes(23).toString('base64')}`],
  ['65 bytes', `whsec_${randomBytes(65).toString('base64')}`],
  ['not base64', `whsec_${'*'.repeat(40)}`],
  ['a line break at the end', `${SECRET}\n`],
])('refuses a secret with %s, and does not repeat it', (_, secret) => {
  const sign = () => signWebhook({ id: 'a', time: 0, body: Buffer.from('') }, secret);
  const message = 'the webhook secret must be "whsec_" and the base64 of 24 to 64 bytes';
  expect(sign).toThrow(new AppError('INVALID_INPUT', message));
});
