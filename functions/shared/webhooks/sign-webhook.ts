import { createHmac } from 'node:crypto';
import { AppError } from '../../../lib/errors/app-error.js';

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** Of the key, in bytes. Source: Standard Webhooks 1.0.0, "Signature scheme". */
const MIN_KEY = 24;
const MAX_KEY = 64;

export interface WebhookMessage {
  /** The same for every attempt; without a dot, which separates what is signed. */
  readonly id: string;
  /** Of this attempt. Milliseconds since 1970. */
  readonly time: number;
  /** As it goes over the wire. */
  readonly body: Uint8Array;
}

/**
 * The headers by which a receiver knows who sent a webhook. Source: Standard Webhooks 1.0.0, symmetric signatures.
 *
 * @param secret `whsec_` and the base64 of 24 to 64 random bytes
 * @throws AppError INVALID_INPUT for another secret
 */
export function signWebhook({ id, time, body }: WebhookMessage, secret: string): Record<string, string> {
  const timestamp = String(Math.floor(time / 1000));
  const hmac = createHmac('sha256', webhookKey(secret)).update(`${id}.${timestamp}.`).update(body);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${hmac.digest('base64')}`,
  };
}

/** @throws AppError INVALID_INPUT where it is no secret; the message does not repeat it */
export function webhookKey(secret: string): Buffer {
  const key = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64');
  if (key.length < MIN_KEY || key.length > MAX_KEY) {
    throw new AppError(
      'INVALID_INPUT',
      `the webhook secret must be "whsec_" and the base64 of ${MIN_KEY} to ${MAX_KEY} bytes`,
    );
  }
  return key;
}
