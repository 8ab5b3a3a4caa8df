import { expect } from 'vitest';
import { apiApp } from '../../functions/api/app.js';
import { ProblemError } from '../../functions/shared/problem-response.js';
import { openaiErrorSchema } from '../../lib/schemas/openai/image-answer.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { pictureOf } from '../support/simulation/endpoint.js';

/** No refusal is longer, however much there is to refuse. Characters. */
const MAX_REFUSAL = 16_384;
/** What zod, V8 and hono say of such things: nothing of it is ours. */
const FOREIGN_WORDS =
  /Invalid (input|option|url|string|key|ISO)|expected \w+, received|Too (big|small)|Unrecognized key|Unexpected (token|end|string|number|non-)|JSON at position|Malformed/;

/** Names of fields that an object has by nature, and others that are none of ours. */
export const STRANGE_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'a.b',
  '0',
  'Prompt',
  '\u0000',
];

export const KEY = 'a-good-key';

/** The API's routes around memory, an endpoint that draws at once, and a caller that checks every answer. */
export function badService() {
  const telemetry = new RecordingTelemetry();
  /** How often each was answered. */
  const statuses = new Map<number, number>();
  const endpoint = {
    invoke: async (request: Parameters<typeof pictureOf>[0]) => ({
      answer: pictureOf(request),
      timings: {},
    }),
    wake: async () => undefined,
    state: async () => ({ state: 'ready' }) as const,
  };
  const { services, queue } = memoryServices({ endpoint, telemetry });
  const app = apiApp({
    services,
    telemetry,
    caller: ({ headers }) => {
      if (headers.get('x-api-key') !== KEY) throw new ProblemError(401, 'a key is needed');
      return 'caller';
    },
    baseUrl: () => 'http://service.test',
  });

  /** @param type the content type where `init` has none; '' for none at all */
  async function send(path: string, init: RequestInit = {}, type = 'application/json'): Promise<Response> {
    const headers = new Headers({ 'x-api-key': KEY, ...(type === '' ? {} : { 'content-type': type }) });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const request = new Request(`http://service.test${path}`, { ...init, headers });
    const response = await app.fetch(request);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    await checkAnswer(request, response.clone());
    return response;
  }
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    send('/predict', { method: 'POST', body, headers });
  return { app, send, post, telemetry, statuses, stop: () => queue.stop() };
}

/** What every answer must be, whatever was asked. */
async function checkAnswer(request: Request, response: Response): Promise<void> {
  const { status, headers } = response;
  expect(status).toBeLessThan(500);
  expect(headers.get('x-request-id')).toMatch(/^[\w.-]{1,128}$/);
  const text = await response.text();
  if (request.method === 'HEAD') expect(text).toBe('');
  if (status < 400 || request.method === 'HEAD') return;
  expect(text.length).toBeLessThan(MAX_REFUSAL);
  expect(text).not.toMatch(FOREIGN_WORDS);
  if (new URL(request.url).pathname.startsWith('/v1/')) {
    openaiErrorSchema.parse(JSON.parse(text));
    return;
  }
  expect(headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(JSON.parse(text));
  expect(problem.status).toBe(status);
  expect(problem.request_id).toBe(headers.get('x-request-id'));
  expect(problem.title).not.toBe('Error');
  if (status === 400) expect(problem.errors ?? []).not.toEqual([]);
}
