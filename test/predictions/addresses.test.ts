import { describe, expect, test } from 'vitest';
import { predict } from '../../lib/predictions/predict.js';
import { processMessage } from '../../lib/predictions/process-message.js';
import { readPrediction } from '../../lib/predictions/read-prediction.js';
import { predictionIdOf } from '../../lib/predictions/records/prediction-id.js';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import type { PredictRequest } from '../../lib/schemas/request.js';
import { webhookEventSchema } from '../../lib/schemas/webhook.js';
import { pictureOf } from '../support/simulation/endpoint.js';
import { PulledServices } from './pulled-services.js';
import { REQUEST, TestServices } from './test-services.js';

const SEEDED: PredictRequest & { seed: number } = { ...REQUEST, seed: 7, response_format: 'url' };
const ORIGIN = { caller: 'somebody', key: 'once' };
const ID = predictionIdOf(ORIGIN);
const { result: BASE64, ...ABOUT } = pictureOf(SEEDED);
const BYTES = Buffer.from(BASE64, 'base64');
const HOOK = 'https://receiver.test/hook';

const signal = () => new AbortController().signal;
const props = (more: object = {}) => ({
  request: SEEDED,
  caller: ORIGIN.caller,
  requestId: 'request',
  waitMs: 20_000,
  signal: signal(),
  ...more,
});
const read = (services: TestServices, id = ID) =>
  readPrediction({ id, caller: ORIGIN.caller, baseUrl: 'https://asked.test', waitMs: 0 }, services);

describe('a picture that is to have an address', () => {
  test('drawn at once, without a key: stored before it is told, and nothing else is', async () => {
    const services = new TestServices();
    const outcome = await predict(props(), services);
    expect(outcome).toMatchObject({ kind: 'answer', answer: { pictures: 1, ...ABOUT } });
    const { id } = outcome as { id: string };
    expect([...services.store.pictures]).toEqual([[`${id}/0.png`, BYTES]]);
    expect(services.store.requests.size + services.store.results.size).toBe(0);
  });

  test('which cannot be stored is not told', async () => {
    const services = new TestServices();
    services.store.createPictures = () => Promise.reject(new Error('full'));
    await expect(predict(props(), services)).rejects.toThrow('full');
    await expect(predict(props({ key: ORIGIN.key }), services)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  test('with a key: its record has no base64, and whoever repeats gets the same', async () => {
    const services = new TestServices();
    const first = await predict(props({ key: ORIGIN.key }), services);
    expect(services.store.results.get(ID)).toMatchObject({ answer: { pictures: 1 } });
    expect(JSON.stringify([...services.store.results])).not.toContain(BASE64);
    expect(await predict(props({ key: ORIGIN.key }), services)).toEqual({ ...first, replayed: true });
    expect([services.invocations, services.store.pictures.size]).toEqual([1, 1]);
  });

  test('drawn later, and told by webhook, with an address of its own each time', async () => {
    const services = new TestServices();
    await predict(props({ request: { ...SEEDED, webhook: HOOK }, key: ORIGIN.key }), services);
    await processMessage({ kind: 'predict', id: ID, failures: 0 }, services);
    expect(services.store.pictures.get(`${ID}/0.png`)).toEqual(BYTES);
    const prediction = await read(services);
    expect(predictionSchema.parse(prediction)).toMatchObject({
      status: 'succeeded',
      urls: [`https://asked.test/memory/${ID}/0.png`],
    });
    for (const attempts of [0, 1]) await processMessage({ kind: 'webhook', id: ID, attempts }, services);
    const [{ body }] = services.told as [(typeof services.told)[number]];
    const event = { type: 'prediction.succeeded', timestamp: prediction.created_at, data: body };
    expect(webhookEventSchema.parse(event).data).toMatchObject({
      // Nobody asks: the service's own.
      urls: [`https://own.test/memory/${ID}/0.png`],
      ...ABOUT,
    });
    expect(JSON.stringify(body)).not.toContain(BASE64);
  });

  test('drawn twice, after a death between the picture and the record: the first stays', async () => {
    const services = new TestServices();
    await predict(props({ key: ORIGIN.key, waitMs: 0 }), services);
    const { createResult } = services.store;
    services.store.createResult = async (id, _, pictures = []) => {
      await services.store.createPictures(id, pictures);
      throw new Error('killed');
    };
    const message = { kind: 'predict', id: ID, failures: 0 } as const;
    await expect(processMessage(message, services)).rejects.toThrow('killed');
    services.store.createResult = createResult;
    expect(await processMessage(message, services)).toEqual({ done: true });
    expect([...services.store.pictures.keys()]).toEqual([`${ID}/0.png`]);
    expect(await read(services)).toMatchObject({ status: 'succeeded' });
  });

  test('by workers that pull: written by whoever draws it', async () => {
    const services = new PulledServices();
    services.workAfter(500);
    const outcome = await predict(props({ key: ORIGIN.key }), services);
    expect(outcome).toMatchObject({ kind: 'answer', id: ID, answer: { pictures: 1 } });
    expect(services.store.pictures.get(`${ID}/0.png`)).toEqual(BYTES);
    expect(JSON.stringify([...services.store.results])).not.toContain(BASE64);
  });
});

test('the wish is part of the request: the same key with another one is refused', async () => {
  const services = new TestServices();
  await predict(props({ key: ORIGIN.key }), services);
  const { response_format: _, ...plain } = SEEDED;
  await expect(predict(props({ key: ORIGIN.key, request: plain }), services)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

test('a request that says nothing is what it was: the same fingerprint, base64 in its record', async () => {
  const services = new TestServices();
  const { response_format: _, ...plain } = SEEDED;
  await predict(props({ key: ORIGIN.key, request: plain }), services);
  expect(services.store.requests.get(ID)).not.toHaveProperty('response_format');
  expect(services.store.results.get(ID)).toMatchObject({ answer: { result: BASE64 } });
  expect(services.store.pictures.size).toBe(0);
});
