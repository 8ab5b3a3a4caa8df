import { beforeEach, describe, expect, test } from 'vitest';
import { openapiDocument } from '../../functions/api/openapi/openapi-document.js';
import { fingerprint } from '../../lib/predictions/fingerprint.js';
import type { Message } from '../../lib/predictions/message-queue.js';
import { processMessage } from '../../lib/predictions/process-message.js';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import type { EndedPrediction } from '../../lib/schemas/webhook.js';
import { REQUEST, TestServices } from '../predictions/test-services.js';
import {
  FAILED,
  ID,
  ok,
  receiver,
  SUCCEEDED,
  send,
  sender,
  status,
} from '../shared/webhooks/webhook-calls.js';
import { schemaErrors } from '../support/expect-documented.js';

/** Of HTTP itself. */
const COMMON_HEADERS = new Set(['host', 'connection', 'content-length', 'content-type']);

const { callbacks = {} } = openapiDocument('https://service.test').paths['/predict']?.post ?? {};
const [place, { post: documented }] =
  Object.entries(callbacks['ended'] ?? {})[0] ?? expect.fail('no callback');
const { parameters = [], requestBody, responses, description } = documented;
const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? expect.fail('no body');

test('it goes where a field of the request says', () => {
  expect(place).toBe('{$request.body#/webhook}');
});

test('its examples are true to its schemas', () => {
  expect(Object.values(media.examples ?? {})).toHaveLength(3);
  for (const { value } of Object.values(media.examples ?? {}))
    expect(schemaErrors(media.schema, value)).toEqual([]);
  for (const { schema, example } of parameters) expect(schemaErrors(schema, example)).toEqual([]);
});

describe.each<[string, EndedPrediction]>([
  ['success', SUCCEEDED],
  ['failure', FAILED],
])('what is sent of a %s', (_, prediction) => {
  test('has the documented body', async () => {
    const { port, received } = await receiver(ok);
    await send(`https://webhook.test:${port}/`, {}, prediction);
    const body = JSON.parse(received[0]?.body ?? '');
    expect(schemaErrors(media.schema, body)).toEqual([]);
    // Nothing of it could be left out, and nothing else be there.
    for (const name of Object.keys(body)) {
      const { [name]: __, ...less } = body;
      expect(schemaErrors(media.schema, less), name).not.toEqual([]);
    }
    expect(schemaErrors(media.schema, { ...body, more: 1 })).not.toEqual([]);
    expect(schemaErrors(media.schema, predictionSchema.parse(body.data))).not.toEqual([]);
  });

  test('has the documented headers, and no others', async () => {
    const { port, received } = await receiver(ok);
    await send(`https://webhook.test:${port}/`, {}, prediction);
    const headers = received[0]?.headers ?? {};
    expect(headers['content-type']).toBe(type);
    for (const { name, schema } of parameters) expect(schemaErrors(schema, headers[name]), name).toEqual([]);
    const named = parameters.map(({ name }) => name);
    expect(
      Object.keys(headers)
        .filter((name) => !COMMON_HEADERS.has(name))
        .sort(),
    ).toEqual(named.sort());
  });
});

describe('what an answer means', () => {
  /** By the words of the document, the statuses of that kind. */
  const kinds: Record<string, number[]> = {
    '2XX': [200, 202, 204, 299],
    307: [307],
    308: [308],
    410: [410],
    default: [301, 302, 303, 304, 400, 404, 429, 500, 503],
  };

  test('is said of these', () => expect(Object.keys(responses).sort()).toEqual(Object.keys(kinds).sort()));

  const cases = Object.entries(kinds).flatMap(([kind, all]) => all.map((code) => [code, kind] as const));
  test.each(cases)('%d is %s', async (code, kind) => {
    const { port, received } = await receiver((request, response, index) =>
      request.path === '/'
        ? status(code, { location: '/elsewhere' })(request, response, index)
        : ok(request, response, index),
    );
    const outcome = await send(`https://webhook.test:${port}/`);
    const said = responses[kind]?.description ?? '';
    if (said.startsWith('Received')) expect(outcome).toEqual({ delivered: true });
    else if (said.startsWith('Followed'))
      expect([outcome, received.length]).toEqual([{ delivered: true }, 2]);
    else expect(outcome).toMatchObject({ delivered: false, retryable: said.startsWith('Not received') });
  });

  test('a redirect is followed as often as is said', async () => {
    const { port, received } = await receiver(status(308, { location: '/again' }));
    await send(`https://webhook.test:${port}/`);
    const [, times] = /Followed, (\d+) times/.exec(responses['308']?.description ?? '') ?? [];
    expect(received).toHaveLength(Number(times) + 1);
  });
});

describe('the attempts', () => {
  let services: TestServices;
  beforeEach(async () => {
    services = new TestServices();
    await services.store.createRequest({
      id: ID,
      caller: 'me',
      fingerprint: fingerprint(REQUEST),
      created_at: new Date(services.clock.time).toISOString(),
      request_id: 'r',
      request: { ...REQUEST, seed: 1 },
      webhook: 'https://webhook.test/',
    });
    await processMessage({ kind: 'predict', id: ID, failures: 0 }, services);
  });

  /** Through the queue and the real sender, to a receiver that answers so. @returns the pauses in seconds */
  async function pausesOf(code: number): Promise<{ attempts: number; pauses: number[] }> {
    const { port, received } = await receiver(status(code));
    const real = sender();
    const worker = {
      ...services,
      sendWebhook: (call: Parameters<typeof real>[0]) =>
        real({ ...call, url: `https://webhook.test:${port}/` }),
    };
    services.sent.length = 0;
    let message: Message | undefined = { kind: 'webhook', id: ID, attempts: 0 };
    for (let sent = 0; message; sent++) {
      await processMessage(message, worker);
      message = services.sent[sent]?.message;
    }
    const ids = new Set(received.map(({ headers }) => headers['webhook-id']));
    expect([...ids]).toEqual([ID]);
    return { attempts: received.length, pauses: services.sent.map(({ delay }) => delay) };
  }

  test('are as many as is said, with the pauses that are said', async () => {
    const { attempts, pauses } = await pausesOf(503);
    expect(description).toContain(`up to ${attempts} attempts, with pauses of ${pauses.join(', ')} seconds`);
  });

  test.each([410, 200])('%d ends them', async (code) => {
    expect(await pausesOf(code)).toEqual({ attempts: 1, pauses: [] });
  });
});
