import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChildEndpoint } from '../../../functions/home/endpoint/child-endpoint.js';
import { EndpointError } from '../../../lib/predictions/endpoint.js';
import { ABOUT_DEMO } from '../../support/demo-card.js';
import { childrenOf, isRunning } from '../../support/processes/process-table.js';
import { ROOT } from '../../support/reference.js';
import { until } from '../../support/until.js';

const DEMO = join(ROOT, 'lib/demo-model/bundle');
const scratch = mkdtempSync(join(tmpdir(), 'child-endpoint-'));
afterAll(() => rmSync(scratch, { recursive: true }));
// The sources lie elsewhere than what they name.
const { endpointCommand } = await import(join(ROOT, 'dist/functions/home/endpoint/endpoint-command.js'));

const request = {
  prompt: 'a very private tree',
  num_steps: 1,
  seed: 7,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
} as const;
const context = () => ({ requestId: 'request-1', signal: new AbortController().signal });

let children: readonly number[];
let endpoint: ChildEndpoint;
let events: string[];
beforeEach(() => {
  children = childrenOf(process.pid);
  events = [];
});
afterEach(async () => {
  await endpoint.close(0);
  expect(newChildren()).toEqual([]);
});
const newChildren = () => childrenOf(process.pid).filter((pid) => !children.includes(pid));

function make(settings: Record<string, string> = {}, idleSeconds?: number): ChildEndpoint {
  endpoint = new ChildEndpoint({
    command: endpointCommand(),
    settings: { MODEL_URI: DEMO, PROVIDER: 'cpu', ...settings },
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
    onLine: (line) => events.push(`line: ${line}`),
    onReady: () => events.push('ready'),
    onSleep: () => events.push('sleep'),
    onTrouble: (what, error) => events.push(`${what}: ${error}`),
  });
  return endpoint;
}
const happened = (what: string) => events.filter((event) => event.startsWith(what)).length;
const faultOf = (drawing: Promise<unknown>) =>
  drawing.then(
    () => 'drawn',
    (error) => (error instanceof EndpointError ? error.fault : error),
  );

test('asleep, woken once by many, draws, refuses in the words of the server, and leaves nothing behind', async () => {
  make();
  expect(await endpoint.state()).toEqual({ state: 'asleep' });
  expect(await faultOf(endpoint.invoke(request, context()))).toBe('cold');
  await Promise.all(Array.from({ length: 5 }, () => endpoint.wake()));
  expect(newChildren()).toHaveLength(1);
  expect(await endpoint.state()).toMatchObject({ state: 'waking' });
  expect(await faultOf(endpoint.invoke(request, context()))).toBe('cold');
  await endpoint.ready();
  expect(await endpoint.state()).toEqual({ state: 'ready', ...ABOUT_DEMO });
  await endpoint.wake();
  const { answer, timings } = await endpoint.invoke(request, context());
  expect(answer).toMatchObject({ seed: 7, model: 'sd-turbo-demo' });
  expect(timings['unet']).toBeGreaterThan(0);
  const wrong = { ...request, decoder: 'taesd' } as const;
  const error = await endpoint.invoke(wrong, context()).catch((thrown) => thrown);
  expect(error).toMatchObject({ fault: 'refused', problem: { request_id: 'request-1' } });
  expect(error.problem.detail).toContain('taesd');
  expect([happened('ready'), newChildren().length]).toEqual([1, 1]);
  expect(events.join()).not.toContain('private');
  await endpoint.close();
  await expect(endpoint.wake()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('the server is to be reached from this machine only', async () => {
  make();
  await endpoint.wake();
  await endpoint.ready();
  const port = /"listening","port":(\d+)/.exec(events.join('\n'))?.[1];
  expect((await fetch(`http://127.0.0.1:${port}/ping`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.2:${port}/ping`)).rejects.toThrow();
});

describe('a child that dies', () => {
  test('is missed, told of, and replaced', async () => {
    make();
    await endpoint.wake();
    await endpoint.ready();
    const [first] = newChildren() as [number];
    const drawing = faultOf(endpoint.invoke({ ...request, num_steps: 4 }, context()));
    process.kill(first, 'SIGKILL');
    // Which of them: whether the request had gone out by then.
    expect(['lost', 'busy']).toContain(await drawing);
    await until('the loss is noticed', async () => (await endpoint.state()).state === 'asleep');
    expect(await faultOf(endpoint.invoke(request, context()))).toBe('cold');
    expect(events.at(-1)).toContain('SIGKILL');
    await endpoint.wake();
    await endpoint.ready();
    expect(await faultOf(endpoint.invoke(request, context()))).toBe('drawn');
    expect(newChildren()).not.toContain(first);
  });

  test.each([
    ['no such bundle', { MODEL_URI: join(scratch, 'nothing') }, join(scratch, 'nothing')],
    ['a setting that is wrong', { QUEUE_LIMIT: 'many' }, 'QUEUE_LIMIT'],
  ])('before it is ready: %s', async (_, settings, named) => {
    make(settings);
    await endpoint.wake();
    await expect(endpoint.ready()).rejects.toThrow(named);
    expect(await endpoint.state()).toMatchObject({ state: 'failed', detail: expect.stringContaining(named) });
    expect((await endpoint.state()).detail).not.toContain('\n');
    expect(await faultOf(endpoint.invoke(request, context()))).toBe('cold');
    expect(happened('the endpoint could not be started')).toBe(1);
    await until('it is gone', () => newChildren().length === 0);
    expect(await endpoint.state()).toMatchObject({ state: 'failed' });
    // What was wrong may have been mended.
    await endpoint.wake();
    await until('another one is tried', () => newChildren().length === 1);
  });

  test('because it cannot be started at all', async () => {
    endpoint = new ChildEndpoint({
      command: [join(scratch, 'no-such-program')],
      settings: {},
      onReady: () => undefined,
      onSleep: () => undefined,
      onTrouble: () => undefined,
    });
    await endpoint.wake();
    await expect(endpoint.ready()).rejects.toThrow('no-such-program');
  });
});

describe('without work', () => {
  test('it is stopped, never while it draws, and a wake during the stop is not forgotten', async () => {
    make({}, 0.2);
    await endpoint.wake();
    await endpoint.ready();
    const [first] = newChildren() as [number];
    // Each takes longer than that, in turn.
    const drawings = [1, 2, 3].map((seed) => endpoint.invoke({ ...request, seed, num_steps: 4 }, context()));
    await Promise.all(drawings);
    expect(happened('sleep')).toBe(0);
    await until('it sleeps', () => happened('sleep') === 1);
    await endpoint.wake();
    expect(await endpoint.state()).toMatchObject({ state: 'waking' });
    await until('it is up again', () => happened('ready') === 2);
    expect(isRunning(first)).toBe(false);
    expect(happened('the endpoint has ended')).toBe(0);
  });

  test('it goes on where nobody wants it to stop', async () => {
    make();
    await endpoint.wake();
    await endpoint.ready();
    expect(await faultOf(endpoint.invoke(request, context()))).toBe('drawn');
    expect(await endpoint.state()).toEqual({ state: 'ready', ...ABOUT_DEMO });
    expect(happened('sleep')).toBe(0);
  });
});
