import { afterEach, expect, test } from 'vitest';
import { apiApp } from '../../../functions/api/app.js';
import type { EventStreamsProps } from '../../../functions/api/events/event-streams.js';
import { HomeServer } from '../../../functions/home/home-server.js';
import { createClient } from '../../../lib/client/create-client.js';
import { readEvents } from '../../../lib/client/read-events.js';
import { AppError } from '../../../lib/errors/app-error.js';
import { EndpointError, type EndpointState } from '../../../lib/predictions/endpoint.js';
import { collectEvents } from '../../support/collect-events.js';
import { memoryServices } from '../../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../../support/predictions/recording-telemetry.js';
import { ScriptedEndpoint } from '../../support/predictions/scripted-endpoint.js';
import { until } from '../../support/until.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The API on a socket, with an endpoint that a test moves from state to state. */
async function start(streams: EventStreamsProps = {}) {
  const scripted = new ScriptedEndpoint();
  const stage = { state: { state: 'ready' } as EndpointState, letDraw: () => {} };
  const drawing = new Promise<void>((resolve) => {
    stage.letDraw = resolve;
  });
  const telemetry = new RecordingTelemetry();
  const memory = memoryServices({
    endpoint: {
      wake: async () => undefined,
      state: async () => stage.state,
      async invoke(...args) {
        if (stage.state.state !== 'ready') throw new EndpointError('cold', 'asleep');
        await drawing;
        return scripted.invoke(...args);
      },
    },
    telemetry,
  });
  let now = 0;
  const clock = {
    ...memory.services.clock,
    // Each look at it is a second later: no backend is asked for its state in vain.
    now: () => Date.now() + 1_000 * now++,
  };
  const app = apiApp({
    services: { ...memory.services, clock },
    telemetry,
    caller: ({ headers }) => headers.get('x-api-key') ?? 'nobody',
    baseUrl: ({ url }) => new URL(url).origin,
    streams,
  });
  const server = await HomeServer.listen({
    fetch: (request) => app.fetch(request),
    host: '127.0.0.1',
    port: 0,
    onAnswer: () => undefined,
  });
  closers.push(
    () => memory.queue.stop(),
    () => server.close(0),
    async () => stage.letDraw(),
  );
  const headers = { 'x-api-key': 'me' };
  const response = await fetch(`${server.url}/predict`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ prompt: 'a tree' }),
  });
  const { id } = (await response.json()) as { id: string };
  const open = (last?: string, signal?: AbortSignal) =>
    fetch(`${server.url}/predictions/${id}`, {
      headers: { ...headers, accept: 'text/event-stream', ...(last && { 'last-event-id': last }) },
      ...(signal && { signal }),
    });
  return { server, stage, id, open, memory, telemetry };
}

/** Whoever asks for the state of a prediction, that is. */
function watched(memory: { readonly store: { readEnd(id: string): Promise<unknown> } }) {
  const seen = { looks: 0 };
  const { store } = memory;
  const readEnd = store.readEnd.bind(store);
  store.readEnd = async (id: string) => {
    seen.looks++;
    return readEnd(id);
  };
  return seen;
}

test('are seen as they happen, over a socket', async () => {
  const { stage, open } = await start();
  const response = await open();
  const seen: string[] = [];
  for await (const { event, data } of readEvents(response)) {
    const { phase = event } = JSON.parse(data) as { phase?: string };
    seen.push(phase);
    // Nothing is drawn before this has been read: were it kept back, this would hang.
    if (phase === 'drawing') stage.letDraw();
  }
  expect(seen.at(-1)).toBe('ended');
  expect(seen).toContain('drawing');
});

test('the phases of a wake, and the same ids for whoever looks', async () => {
  const { stage, open } = await start();
  stage.state = { state: 'waking', detail: 'container' };
  const [first] = await collectEvents(await open(), 1);
  expect(await collectEvents(await open(), 1)).toEqual([
    { ...first, data: expect.stringContaining('"detail":"container"') },
  ]);
  const resumed = collectEvents(await open(first?.id), 1);
  stage.state = { state: 'waking', detail: 'weights 40 %' };
  const [second] = await resumed;
  expect(second?.id).not.toBe(first?.id);
  expect(JSON.parse(second?.data ?? '')).toMatchObject({
    phase: 'waking',
    health: { detail: 'weights 40 %' },
  });
  stage.state = { state: 'ready' };
  stage.letDraw();
  const rest = await collectEvents(await open(second?.id));
  expect(rest.at(-1)).toMatchObject({ event: 'ended', id: 'succeeded' });
});

test('a caller who goes ends the work for it', async () => {
  const { open, memory, stage } = await start({ most: 1 });
  stage.state = { state: 'waking' };
  const seen = watched(memory);
  const stop = new AbortController();
  const response = await open(undefined, stop.signal);
  await collectEvents(response, 1).catch(() => undefined);
  stop.abort();
  // The only place is free again as soon as the service knows.
  await until('the place is free', async () => {
    const next = await open();
    const isIn = next.status === 200;
    await next.body?.cancel();
    return isIn;
  });
  await until('nobody looks any more', async () => {
    const before = seen.looks;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return seen.looks === before;
  });
});

test('more than may be open: 503, and the others go on', async () => {
  const { open, stage } = await start({ most: 2 });
  stage.state = { state: 'waking' };
  const streams = [await open(), await open()];
  const refused = await open();
  expect([refused.status, refused.headers.get('content-type'), refused.headers.get('retry-after')]).toEqual([
    503,
    'application/problem+json',
    expect.any(String),
  ]);
  stage.state = { state: 'ready' };
  stage.letDraw();
  for (const stream of streams) expect((await collectEvents(stream)).at(-1)?.event).toBe('ended');
});

test('an answer that is only seen when it is whole ends soon after the first news, or at its limit', async () => {
  const { open, stage } = await start({ settleMs: 50, limitMs: 400 });
  stage.state = { state: 'waking' };
  const first = await collectEvents(await open());
  expect(first).toHaveLength(1);
  // No news: nothing is told twice, and the answer says when to come back.
  const silent = await open(first[0]?.id);
  expect(await silent.text()).toBe('retry: 1000\n\n');
});

test('a service that stops keeps nobody waiting', async () => {
  const stopping = new AbortController();
  const { open, stage } = await start({ stopping: stopping.signal });
  stage.state = { state: 'waking' };
  const response = await open();
  stopping.abort();
  expect((await collectEvents(response)).length).toBeLessThanOrEqual(1);
});

test('a store that fails ends the stream, and is told to the log; who comes back gets its status', async () => {
  const { open, memory, stage, telemetry } = await start();
  stage.state = { state: 'waking' };
  const [first] = await collectEvents(await open(), 1);
  // The worker has the same store, and nobody to tell.
  await memory.queue.stop();
  const { readClaim } = memory.store;
  memory.store.readClaim = async () => {
    throw new AppError('UNAVAILABLE', 'the store does not answer');
  };
  expect(await collectEvents(await open(first?.id))).toEqual([]);
  expect(JSON.stringify(telemetry)).toContain('a stream of events was broken off');
  memory.store.readClaim = readClaim;
  memory.store.readEnd = async () => {
    throw new AppError('UNAVAILABLE', 'the store does not answer');
  };
  expect((await open(first?.id)).status).toBe(503);
});

test('the client follows them, tells what they say, and asks for no state besides', async () => {
  const { server, id, stage } = await start();
  stage.state = { state: 'waking', detail: 'container' };
  const paths: string[] = [];
  const client = createClient({
    url: server.url,
    apiKey: 'me',
    fetch: (input, init) => {
      paths.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  });
  const phases: string[] = [];
  const images = await client.follow(id, {
    onProgress: ({ phase, health }) => {
      phases.push(phase);
      if (health?.detail !== 'container' || phases.length < 2) return;
      stage.state = { state: 'ready' };
      stage.letDraw();
    },
  });
  expect(images).toMatchObject({ format: 'png', images: [expect.any(Uint8Array)] });
  expect(phases.slice(0, 2)).toEqual(['waking', 'waking']);
  expect(paths).toEqual(['/health', `/predictions/${id}`]);
});

test('the client goes on behind the last event where the connection breaks', async () => {
  const { server, id, stage } = await start();
  stage.state = { state: 'waking' };
  const lasts: (string | null)[] = [];
  const client = createClient({
    url: server.url,
    apiKey: 'me',
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).includes('/predictions/')) return response;
      lasts.push(new Headers(init?.headers).get('last-event-id'));
      if (lasts.length > 1) return response;
      const events = await collectEvents(response, 1);
      const text = events.map(
        (each) => `event: ${each.event}\ndata: ${each.data}\nid: ${each.id}\n\nevent: cut`,
      );
      const broken = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(text.join(''))),
        pull: (controller) => controller.error(new TypeError('terminated')),
      });
      return new Response(broken, response);
    },
  });
  const phases: string[] = [];
  await client.follow(id, {
    onProgress: ({ phase, reason }) => {
      phases.push(reason ?? phase);
      if (phase !== 'retrying') return;
      stage.state = { state: 'ready' };
      stage.letDraw();
    },
  });
  expect(lasts).toEqual([null, expect.stringMatching(/^waking-/)]);
  expect(phases).toContain('the connection was lost');
});
