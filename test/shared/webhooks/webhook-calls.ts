import type { LookupAddress } from 'node:dns';
import { onTestFinished } from 'vitest';
import {
  makeWebhookSender,
  type WebhookSenderProps,
} from '../../../functions/shared/webhooks/webhook-sender.js';
import type { EndedPrediction } from '../../../lib/schemas/webhook.js';
import {
  type Answer,
  type ReceivedWebhook,
  startWebhookReceiver,
  TEST_CERTIFICATE,
  type WebhookReceiver,
} from '../../support/servers/webhook-receiver.js';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const ID = 'abcdefghijklmnopqrstuvwxyz234567';
export const SUCCEEDED = {
  id: ID,
  created_at: '2026-11-23T12:00:00.000Z',
  status: 'succeeded',
  completed_at: '2026-11-23T12:05:00.000Z',
  result: 'aGVsbG8=',
  seed: 42,
  num_steps: 1,
  output_format: 'png',
  decoder: 'vae',
  tokens_cut: 0,
  model: 'demo',
  timings: { unet: 12 },
} satisfies EndedPrediction;
export const FAILED = {
  id: ID,
  created_at: '2026-11-23T12:00:00.000Z',
  status: 'failed',
  completed_at: '2026-11-23T12:05:00.000Z',
  error: { type: 'about:blank', title: 'Bad Gateway', status: 502, detail: 'no', request_id: 'r' },
} satisfies EndedPrediction;

/** Stands for a public address in these tests. Everything else is refused. */
export const LOOPBACK = '127.0.0.1';
export const NO_ADDRESS = "the webhook's host has no public address";

/** One that ends with the test. */
export async function receiver(answer: Answer): Promise<WebhookReceiver> {
  const started = await startWebhookReceiver(answer);
  onTestFinished(() => started.stop());
  return started;
}

export const ok: Answer = (_, response) => response.writeHead(200).end();
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end('what is behind the name');

/** A resolver that answers with each list in turn, and with the last one from then on. */
export function dns(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = async (name: string): Promise<LookupAddress[]> => {
    const addresses = answers[Math.min(asked.push(name), answers.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
}

export function sender(props: Partial<WebhookSenderProps> = {}) {
  return makeWebhookSender({
    secret: async () => SECRET,
    isAllowed: (address) => address === LOOPBACK,
    resolve: dns([LOOPBACK]).resolve,
    ca: TEST_CERTIFICATE,
    ...props,
  });
}

export const send = (
  url: string,
  props: Partial<WebhookSenderProps> = {},
  body: EndedPrediction = SUCCEEDED,
) => sender(props)({ url, id: ID, body });

export const permanent = (error: string) => ({ delivered: false, retryable: false, error });
export const passing = (error: string) => ({ delivered: false, retryable: true, error });

export function asRequest({ body, headers }: ReceivedWebhook): Request {
  return new Request('https://webhook.test/', { method: 'POST', body, headers });
}
