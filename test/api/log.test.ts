import { expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';

const telemetry = new RecordingTelemetry();
const endpoint = new ScriptedEndpoint();
const { services } = memoryServices({ endpoint, telemetry });
const app = apiApp({ services, telemetry, caller: () => 'me', baseUrl: () => 'http://service.test' });

async function draw(): Promise<{ status: number; errors: string[] }> {
  telemetry.lines.length = 0;
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: '{"prompt": "a tree"}' };
  const { status } = await app.request('/v1/images/generations', init);
  return { status, errors: telemetry.lines.filter((line) => JSON.parse(line).level === 'error') };
}

test('that the endpoint is asleep is how it works, and no error in the log', async () => {
  endpoint.sleep();
  expect(await draw()).toEqual({ status: 503, errors: [] });
});

test('what fails is one, with the id of its request', async () => {
  await endpoint.wake();
  await draw();
  endpoint.failNext('model');
  const { status, errors } = await draw();
  expect(status).toBe(502);
  expect(errors.map((line) => JSON.parse(line))).toMatchObject([
    { message: 'a request failed', request_id: expect.any(String) },
  ]);
});
