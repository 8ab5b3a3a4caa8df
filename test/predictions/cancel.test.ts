import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cancelPrediction } from '../../lib/predictions/cancel-prediction.js';
import { EndpointError } from '../../lib/predictions/endpoint.js';
import { predict } from '../../lib/predictions/predict.js';
import { processMessage } from '../../lib/predictions/process-message.js';
import type { PredictionStore } from '../../lib/predictions/records/prediction-store.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { requestRecord } from '../support/predictions/prediction-records.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { Random } from '../support/simulation/random.js';

const ROUNDS = 400;
const MOST_TURNS = 6;
const SEED = 20261129;

/** Whatever the store is asked takes a while, and so does its answer. */
function slow(store: PredictionStore, random: Random): PredictionStore {
  const wait = async () => {
    for (let turns = random.integer(0, MOST_TURNS); turns > 0; turns--) await turn();
  };
  return new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await wait();
        const result = await member.apply(target, args);
        await wait();
        return result;
      };
    },
  });
}

/** One prediction, those who draw it, and those who cancel it. */
async function race(seed: number) {
  const random = new Random(seed);
  let isCanceled = false;
  let underWay = 0;
  const faults: string[] = [];
  let drawn = 0;
  const scripted = new ScriptedEndpoint();
  const endpoint = {
    wake: async () => undefined,
    state: async () => ({ state: 'ready' }) as const,
    async invoke(...args: Parameters<ScriptedEndpoint['invoke']>) {
      // What finds no room draws nothing, whenever it comes.
      if (random.chance(0.4)) throw new EndpointError(random.chance(0.5) ? 'cold' : 'busy', 'later');
      if (isCanceled) faults.push('drawn after it was canceled');
      drawn++;
      underWay++;
      for (let turns = random.integer(0, MOST_TURNS * 3); turns > 0; turns--) await turn();
      underWay--;
      return scripted.invoke(...args);
    },
  };
  const memory = memoryServices({ endpoint, telemetry: new RecordingTelemetry() });
  memory.queue.work = async () => true;
  const clock = { ...memory.services.clock, sleep: async () => void (await turn()) };
  const services = { ...memory.services, clock, store: slow(memory.store, random) };
  const record = requestRecord({ created_at: new Date().toISOString() });
  const { id, caller } = record;
  await memory.store.createRequest(record);
  const wait = async () => {
    for (let turns = random.integer(0, MOST_TURNS * 4); turns > 0; turns--) await turn();
  };
  const draw = async () => {
    await wait();
    await processMessage({ kind: 'predict', id, failures: 0 }, services);
  };
  const cancel = async () => {
    await wait();
    try {
      await cancelPrediction({ id, caller }, services);
      isCanceled = true;
      if (underWay > 0) faults.push('canceled while it was drawn');
      return 200;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const answers = await Promise.all([cancel(), draw(), cancel(), draw(), draw()]);
  await memory.queue.stop();
  const status = (await memory.store.readResult(id))?.status;
  const canceled = answers.includes(200);
  if (canceled !== (status === 'canceled')) faults.push(`answered ${answers}, and it is ${status}`);
  if (canceled && drawn > 0) faults.push('canceled and drawn');
  return { faults, outcome: canceled ? 'canceled' : (status ?? 'waits') };
}

test('whoever cancels and whoever draws never both do', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const { faults, outcome } = await race(SEED + round);
    expect(faults, `seed ${SEED + round}`).toEqual([]);
    outcomes.add(outcome);
  }
  // All of them are tried.
  expect(outcomes).toContain('canceled');
  expect(outcomes).toContain('succeeded');
});

test('a prediction with a key cannot be canceled while its caller waits for it, and can once it is queued', async () => {
  let finish = () => {};
  const scripted = new ScriptedEndpoint();
  let isCold = false;
  const endpoint = {
    wake: async () => undefined,
    state: async () => ({ state: 'ready' }) as const,
    async invoke(...args: Parameters<ScriptedEndpoint['invoke']>) {
      if (isCold) throw new EndpointError('cold', 'asleep');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return scripted.invoke(...args);
    },
  };
  const { services, store, queue } = memoryServices({ endpoint, telemetry: new RecordingTelemetry() });
  queue.work = async () => true;
  const { request } = requestRecord();
  const ask = (key: string) => {
    const props = { request, caller: 'me', key, waitMs: 5_000, requestId: 'r' };
    return predict({ ...props, signal: new AbortController().signal }, services);
  };
  const waiting = ask('warm');
  while (store.requests.size === 0) await turn();
  for (let i = 0; i < 20; i++) await turn();
  const [id] = store.requests.keys();
  await expect(cancelPrediction({ id: id as string, caller: 'me' }, services)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  finish();
  expect((await waiting).kind).toBe('answer');
  isCold = true;
  const cold = await ask('cold');
  expect(cold.kind).toBe('accepted');
  const kept = [...store.requests.keys()].at(-1) as string;
  expect(await cancelPrediction({ id: kept, caller: 'me' }, services)).toMatchObject({ status: 'canceled' });
  await expect(ask('cold')).rejects.toMatchObject({ code: 'GONE' });
  await queue.stop();
});

test('a webhook is told, once', async () => {
  const told: unknown[] = [];
  const { services, queue, store } = memoryServices({
    endpoint: new ScriptedEndpoint(),
    telemetry: new RecordingTelemetry(),
    sendWebhook: async ({ body }) => {
      told.push(body);
      return { delivered: true };
    },
  });
  const record = requestRecord({ created_at: new Date().toISOString(), webhook: 'https://receiver.test/' });
  await store.createRequest(record);
  const props = { id: record.id, caller: record.caller };
  const prediction = await cancelPrediction(props, services);
  expect(prediction).toMatchObject({ status: 'canceled', webhook: { status: 'pending' } });
  while (store.webhooks.size === 0) await turn();
  expect(await cancelPrediction(props, services)).toMatchObject({
    webhook: { status: 'delivered', attempts: 1 },
  });
  const { webhook: _, ...said } = prediction;
  expect(told).toEqual([said]);
  await queue.stop();
});
