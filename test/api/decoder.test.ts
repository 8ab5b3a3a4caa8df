import { expect, test } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { openapiDocument } from '../../functions/api/openapi/openapi-document.js';
import { readFunctionConfig } from '../../functions/shared/aws/config.js';
import type { Decoder } from '../../lib/schemas/request.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';

/** The decoders of what was drawn, by an app with such a default. */
async function drawnBy(decoder: Decoder | undefined, path: string, body: unknown): Promise<string[]> {
  const [endpoint, telemetry] = [new ScriptedEndpoint(), new RecordingTelemetry()];
  const asked: string[] = [];
  const invoke = endpoint.invoke.bind(endpoint);
  endpoint.invoke = (request, context) => {
    asked.push(request.decoder);
    // The model behind it has no other.
    return invoke({ ...request, decoder: 'vae' }, context);
  };
  const { services, queue } = memoryServices({ endpoint, telemetry });
  const app = apiApp({
    services,
    telemetry,
    caller: () => 'me',
    baseUrl: () => 'http://service.test',
    ...(decoder && { decoder }),
  });
  const headers = { 'content-type': 'application/json' };
  const response = await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
  queue.stop();
  expect(response.status).toBe(200);
  return asked;
}

test.each([
  ['/predict', undefined, {}, 'vae'],
  ['/predict', 'taesd', {}, 'taesd'],
  ['/predict', 'taesd', { decoder: 'vae' }, 'vae'],
  ['/v1/images/generations', undefined, {}, 'vae'],
  ['/v1/images/generations', 'taesd', {}, 'taesd'],
] as const)('%s with the default %s and %j is drawn with %s', async (path, decoder, body, drawn) => {
  expect(await drawnBy(decoder, path, { prompt: 'a tree', ...body })).toEqual([drawn]);
});

test('the deploy says which in DEFAULT_DECODER', () => {
  const environment = {
    ENDPOINT_NAME: 'endpoint',
    INFERENCE_COMPONENT_NAME: 'component',
    RESULTS_BUCKET: 'results',
    QUEUE_URL: 'https://sqs.test/queue',
  };
  expect(readFunctionConfig(environment).defaultDecoder).toBe('vae');
  expect(readFunctionConfig({ ...environment, DEFAULT_DECODER: 'taesd' }).defaultDecoder).toBe('taesd');
  expect(() => readFunctionConfig({ ...environment, DEFAULT_DECODER: 'tiny' })).toThrow('DEFAULT_DECODER');
});

test.each([undefined, 'taesd'] as const)('/openapi.json tells of the default %s', (decoder) => {
  const { schemas } = openapiDocument('http://service.test', decoder).components;
  expect(schemas['PredictRequest']).toMatchObject({
    properties: { decoder: { default: decoder ?? 'vae', enum: ['vae', 'taesd'] } },
  });
});
