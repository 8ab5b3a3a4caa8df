import type { WebhookEvent as WireEvent } from '../schemas/webhook.js';
import { decodeBase64 } from './base64.js';
import type { ImageBytes } from './generated-images.js';
import type { WebhookEvent } from './prediction.js';
import { toPrediction } from './wire.js';

/** How old or how early a webhook may be, against replays. Source: Standard Webhooks 1.0.0. Seconds. */
const TOLERANCE = 300;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

/** Of a `Request`, or as Node and its frameworks have them. */
export type ReceivedHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

/** It is not from the service that has the secret, or not as it was sent. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/**
 * What a webhook says, after its signature was checked: Standard Webhooks 1.0.0, HMAC-SHA256.
 *
 * @param body as it came over the wire, before any JSON parser has seen it
 * @param secret `whsec_...`
 * @throws WebhookError
 */
export async function verifyWebhook(
  headers: ReceivedHeaders,
  body: string | Uint8Array | ArrayBuffer,
  secret: string,
): Promise<WebhookEvent> {
  const key = await importKey(secret);
  const read = (name: string) => readHeader(headers, name);
  const [id, timestamp, signatures] = [
    read('webhook-id'),
    read('webhook-timestamp'),
    read('webhook-signature'),
  ];
  assertRecent(timestamp);
  const payload = toBytes(body);
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), payload);
  const wanted = new Uint8Array(await crypto.subtle.sign(HMAC, key, signed));
  // Several while a secret is being changed for another.
  if (!signatures.split(' ').some((signature) => isSignature(signature, wanted))) {
    throw new WebhookError('the signature is wrong: another secret, or a body that is not as it came');
  }
  return readEvent(new TextDecoder().decode(payload));
}

async function importKey(secret: string) {
  const base64 = typeof secret === 'string' ? SECRET.exec(secret.trim())?.[1] : undefined;
  const bytes = base64 === undefined ? undefined : tryDecode(base64);
  if (!bytes) throw new WebhookError('secret: must be whsec_ and base64');
  return crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign']);
}

function readHeader(headers: ReceivedHeaders, name: string): string {
  const value =
    typeof headers.get === 'function'
      ? headers.get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  const text = Array.isArray(value) ? value[0] : value;
  if (typeof text !== 'string' || text === '') throw new WebhookError(`the header ${name} is missing`);
  return text;
}

function assertRecent(timestamp: string): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookError('the header webhook-timestamp is no number');
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) {
    throw new WebhookError(`the webhook was sent more than ${TOLERANCE} s ago, or a clock is wrong`);
  }
}

function toBytes(body: string | Uint8Array | ArrayBuffer): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new WebhookError('body: must be the text or the bytes as they came, not what a parser made of them');
}

function concat(first: Uint8Array, second: Uint8Array): ImageBytes {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** In the same time wherever the first difference is. */
function isSignature(text: string, wanted: Uint8Array): boolean {
  const given = text.startsWith('v1,') ? tryDecode(text.slice(3)) : undefined;
  if (given?.length !== wanted.length) return false;
  return given.reduce((difference, byte, at) => difference | (byte ^ (wanted[at] as number)), 0) === 0;
}

function tryDecode(base64: string): ImageBytes | undefined {
  try {
    return decodeBase64(base64);
  } catch {
    return undefined;
  }
}

function readEvent(json: string): WebhookEvent {
  const { type, timestamp, data } = JSON.parse(json) as WireEvent;
  return { type, timestamp, data: toPrediction(data) } as WebhookEvent;
}
