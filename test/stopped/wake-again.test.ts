import { beforeEach, expect, test } from 'vitest';
import { type StateChange, wakeAgain } from '../../functions/stopped/wake-again.js';
import { EndpointError } from '../../lib/predictions/endpoint.js';
import { WakeRefused } from '../../lib/predictions/wake/wake-refused.js';
import { Waker } from '../../lib/predictions/wake/waker.js';
import { MemoryWakeLog } from '../support/predictions/memory-stores.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';

const STOPPED = { detail: { 'instance-id': 'i-1', state: 'stopped' } } as StateChange;

let messages: number;
let wakes: number;
let refusal: Error | undefined;
let log: MemoryWakeLog;
let telemetry: RecordingTelemetry;

beforeEach(() => {
  [messages, wakes, refusal, log] = [1, 0, undefined, new MemoryWakeLog()];
  telemetry = new RecordingTelemetry();
});

/** By a function of its own, as each event may have. */
function hear(): Promise<void> {
  const wake = async () => {
    if (refusal) throw refusal;
    wakes++;
  };
  const waker = new Waker({ endpoint: { wake, state: async () => ({ state: 'asleep' }) }, log });
  return wakeAgain(STOPPED, { services: { waker, pulled: { backlog: async () => messages } }, telemetry });
}

test('nothing waits: it sleeps on', async () => {
  messages = 0;
  await hear();
  expect(wakes).toBe(0);
  expect(log.entry).toBeUndefined();
});

test('something waits: it is woken, three times in a row at most, and then somebody is told', async () => {
  for (let event = 0; event < 5; event++) await hear();
  expect(wakes).toBe(3);
  expect(JSON.stringify(telemetry)).toContain('again and again');
});

test('what passes is left to the next try of the event, and does not count', async () => {
  refusal = new EndpointError('cold', 'no instance can be started now');
  for (let event = 0; event < 5; event++) await expect(hear()).rejects.toBe(refusal);
  refusal = undefined;
  await hear();
  expect(wakes).toBe(1);
});

test('what does not pass is told, and not tried again', async () => {
  refusal = new WakeRefused('the quota is 0');
  await hear();
  expect(JSON.stringify(telemetry)).toContain('the quota is 0');
});
