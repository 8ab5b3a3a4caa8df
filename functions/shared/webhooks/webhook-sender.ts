import { lookup } from 'node:dns/promises';
import { AppError } from '../../../lib/errors/app-error.js';
import type { SendWebhook, WebhookCall } from '../../../lib/predictions/send-webhook.js';
import type { EndedPrediction, WebhookEvent } from '../../../lib/schemas/webhook.js';
import { checkedLookup, type Resolve } from './checked-lookup.js';
import { parseWebhookUrl } from './parse-webhook-url.js';
import { postOnce } from './post-once.js';
import { isPublicAddress } from './public-address.js';
import { signWebhook } from './sign-webhook.js';
import { FOLLOWED, GONE, MAX_REDIRECTS, TOTAL_MS, USER_AGENT } from './webhook-terms.js';

const CONNECT_MS = 5_000;

export interface WebhookSenderProps {
  /** Reads the secret, `whsec_` and base64. Asked at each attempt; a failure of it is one that may be retried. */
  readonly secret: () => Promise<string>;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Which addresses may be connected to. @default isPublicAddress */
  readonly isAllowed?: (address: string) => boolean;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
  /** Certificates to trust, PEM. @default those of Node */
  readonly ca?: string;
  /** Milliseconds. @default 5 s for a connection, 10 s for everything */
  readonly timeouts?: { readonly connectMs: number; readonly totalMs: number };
}

/**
 * Sends webhooks as Standard Webhooks 1.0.0 has it, to public addresses only, which it checks after DNS and at every
 * redirect. A URL or an address that is refused and a 410 are permanent; every other failure may be retried.
 */
export function makeWebhookSender(props: WebhookSenderProps): SendWebhook {
  return async (call) => {
    try {
      await deliver(call, props);
      return { delivered: true };
    } catch (error) {
      if (error instanceof AppError)
        return { delivered: false, retryable: error.retryable, error: error.message };
      return { delivered: false, retryable: true, error: 'the webhook could not be sent' };
    }
  };
}

async function deliver(call: WebhookCall, props: WebhookSenderProps): Promise<void> {
  const { isAllowed = isPublicAddress, resolve = resolveAll, now = Date.now, ca } = props;
  const { connectMs, totalMs } = props.timeouts ?? { connectMs: CONNECT_MS, totalMs: TOTAL_MS };
  let url = parseWebhookUrl(call.url, isAllowed);
  const body = Buffer.from(JSON.stringify(webhookEvent(call.body)));
  const signature = await sign({ id: call.id, time: now(), body }, props.secret);
  const post = {
    headers: { 'content-type': 'application/json', 'user-agent': USER_AGENT, ...signature },
    body,
    lookup: checkedLookup(resolve, isAllowed),
    connectMs,
    signal: AbortSignal.timeout(totalMs),
    ...(ca === undefined ? {} : { ca }),
  };
  for (let redirects = 0; ; redirects++) {
    const { status, location } = await postOnce(url, post);
    if (status >= 200 && status < 300) return;
    if (!FOLLOWED.has(status) || location === undefined) throw notDelivered(status);
    if (redirects === MAX_REDIRECTS) {
      throw new AppError('UNAVAILABLE', `the webhook redirected more than ${MAX_REDIRECTS} times`);
    }
    url = parseWebhookUrl(location, isAllowed, url);
  }
}

function webhookEvent(data: EndedPrediction): WebhookEvent {
  const timestamp = data.completed_at;
  switch (data.status) {
    case 'succeeded':
      return { type: 'prediction.succeeded', timestamp, data };
    case 'failed':
      return { type: 'prediction.failed', timestamp, data };
    case 'canceled':
      return { type: 'prediction.canceled', timestamp, data };
  }
}

async function sign(message: Parameters<typeof signWebhook>[0], secret: () => Promise<string>) {
  try {
    return signWebhook(message, await secret());
  } catch (cause) {
    // The reason is our own affair, and may be mended before the next attempt.
    throw new AppError('UNAVAILABLE', 'the webhook could not be signed', { cause });
  }
}

function notDelivered(status: number): AppError {
  if (status === GONE) return new AppError('GONE', 'the webhook answered 410: it wants no more');
  const redirect = status >= 300 && status < 400;
  const hint = redirect ? ', a redirect that is not followed: give the final URL' : '';
  return new AppError('UNAVAILABLE', `the webhook answered ${status}${hint}`);
}

const resolveAll: Resolve = (hostname) => lookup(hostname, { all: true });
