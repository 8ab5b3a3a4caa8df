import { expect } from 'vitest';
import { receiveWebhook } from '../../readme/receive-webhook.js';
import { startWebhookReceiver } from '../../support/servers/webhook-receiver.js';
import { until } from '../../support/until.js';
import type { AccountApi } from '../account-api.js';
import type { DeployedStack } from '../deployed-stack.js';
import { WEBHOOK_HOST } from '../emulator.js';

/** An instance may have to be woken for it. Milliseconds. */
const PATIENCE_MS = 300_000;

/** A webhook that fails once, comes again, and is signed with the secret that the deploy has made. */
export async function receiveOneWebhook(api: AccountApi, stack: DeployedStack): Promise<void> {
  const receiver = await startWebhookReceiver((_, response, index) =>
    response.writeHead(index === 0 ? 500 : 204).end(),
  );
  try {
    const webhook = `https://${WEBHOOK_HOST}:${receiver.port}/told`;
    const response = await stack.predict({ prompt: 'a boat', webhook }, { prefer: 'respond-async' });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await until('the webhook has come twice', () => receiver.received.length === 2, PATIENCE_MS);
    const [first, second] = receiver.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const secret = await api.secret(`/${stack.name}/webhook-secret`);
    const { headers = {}, body = '' } = second ?? {};
    const request = new Request('https://receiver.test', { method: 'POST', headers: signed(headers), body });
    const event = await receiveWebhook(request, secret);
    expect(event).toMatchObject({ type: 'prediction.succeeded', data: { id } });
  } finally {
    await receiver.stop();
  }
}

function signed(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')));
}
