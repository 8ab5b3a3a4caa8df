import OpenAI from 'openai';
import { apiApp } from '../../../functions/api/app.js';
import { ProblemError } from '../../../functions/shared/problem-response.js';
import { readKey } from '../../../functions/shared/read-key.js';
import type { DrawRequest } from '../../../lib/schemas/request.js';
import { memoryServices } from '../../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../../support/predictions/scripted-endpoint.js';

const BASE = 'http://service.test';

/** The routes around memory, and OpenAI's own package before them. */
export function openaiService() {
  const endpoint = new ScriptedEndpoint();
  const telemetry = new RecordingTelemetry();
  const memory = memoryServices({ endpoint, telemetry });
  const app = apiApp({
    services: memory.services,
    telemetry,
    caller: ({ headers }) => {
      if (readKey(headers) !== 'key') throw new ProblemError(401, 'this key is not known');
      return 'somebody';
    },
    baseUrl: () => BASE,
  });
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ authorization: 'Bearer key' });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    return app.fetch(new Request(BASE + path, { ...init, headers }));
  };
  const client = (apiKey = 'key') =>
    new OpenAI({
      baseURL: `${BASE}/v1`,
      apiKey,
      maxRetries: 0,
      fetch: async (input, init) => app.fetch(new Request(input, init)),
    });
  const asked: DrawRequest[] = [];
  const { invoke } = endpoint;
  endpoint.invoke = (request, context) => {
    asked.push(request);
    return invoke.call(endpoint, request, context);
  };
  // asked: what reached the endpoint.
  return { ...memory, endpoint, asked, send, client, stop: () => memory.queue.stop() };
}
