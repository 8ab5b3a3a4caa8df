import { expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import { receiveWebhook } from '../readme/receive-webhook.js';
import { asRequest, receiver, SECRET, sender } from '../shared/webhooks/webhook-calls.js';
import { schemaErrors } from '../support/expect-documented.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import type { ReceivedWebhook } from '../support/servers/webhook-receiver.js';
import { until } from '../support/until.js';

test('a webhook from its request to its receiver: through a cold start, and a receiver that fails at first', async () => {
  const [endpoint, telemetry] = [new ScriptedEndpoint(), new RecordingTelemetry()];
  endpoint.sleep(2);
  const { services, queue } = memoryServices({ endpoint, telemetry, sendWebhook: sender() });
  const baseUrl = () => 'http://service.test';
  const app = apiApp({ services, telemetry, caller: () => 'me', baseUrl });
  const { port, received } = await receiver((_, response, index) => {
    response.writeHead(index === 0 ? 503 : 204).end();
  });

  const asked = await app.request('/predict', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a tree', seed: 4, webhook: `https://webhook.test:${port}/done` }),
  });
  expect(asked.status).toBe(202);
  const { id } = (await asked.json()) as { id: string };
  const look = async () =>
    predictionSchema.parse(
      await (await app.request(`/predictions/${id}`, { headers: { prefer: 'wait=5' } })).json(),
    );
  await until('the webhook is delivered', async () => (await look()).webhook?.status === 'delivered');
  await queue.stop();

  expect(received.map(({ path }) => path)).toEqual(['/done', '/done']);
  const event = JSON.parse(received[1]?.body ?? '');
  expect(schemaErrors({ $ref: '#/components/schemas/WebhookEvent' }, event)).toEqual([]);
  const { data, type } = await receiveWebhook(asRequest(received[1] as ReceivedWebhook), SECRET);
  const { webhook, ...prediction } = await look();
  expect(type).toBe('prediction.succeeded');
  expect(data).toEqual(prediction);
  expect(webhook).toEqual({ status: 'delivered', attempts: 2 });
  expect([endpoint.drawn, endpoint.wakes]).toEqual([1, 1]);
});
