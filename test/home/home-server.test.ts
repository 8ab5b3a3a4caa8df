import { request as httpRequest } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HomeServer } from '../../functions/home/home-server.js';

const servers: HomeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
});

type Fetch = (request: Request) => Response | Promise<Response>;
async function listen(fetch: Fetch, port = 0): Promise<{ server: HomeServer; lines: string[] }> {
  const lines: string[] = [];
  const server = await HomeServer.listen({
    fetch,
    host: '127.0.0.1',
    port,
    onAnswer: (line) => lines.push(line),
  });
  servers.push(server);
  return { server, lines };
}

test('each answer leaves a line: no query, no body, no header', async () => {
  const headers = { 'x-request-id': 'an-id' };
  const { server, lines } = await listen(() => new Response('secret', { status: 201, headers }));
  await fetch(`${server.url}/a%0Ab/c?prompt=secret`, {
    method: 'POST',
    body: 'secret',
    headers: { 'x-api-key': 'secret' },
  });
  expect(lines).toEqual([expect.stringMatching(/^POST \/a%0Ab\/c 201 \d+ ms an-id$/)]);
});

test('a path as long as a header may be is cut', async () => {
  const { server, lines } = await listen(() => new Response());
  await fetch(`${server.url}/${'a'.repeat(8000)}`);
  expect(lines[0]?.length).toBeLessThan(300);
});

test('a port that is taken, or that is none of ours, is one line with the way out', async () => {
  const { server } = await listen(() => new Response());
  const port = Number(new URL(server.url).port);
  await expect(listen(() => new Response(), port)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `port ${port} is taken: choose another one with --port`,
  });
  const elsewhere = HomeServer.listen({
    fetch: () => new Response(),
    host: '192.0.2.1',
    port: 0,
    onAnswer: () => undefined,
  });
  await expect(elsewhere).rejects.toMatchObject({ message: expect.stringContaining('--host') });
});

test('closing ends what only waits, lets the rest finish, and takes nothing new', async () => {
  let finish = () => {};
  let [reading, writing] = [false, false];
  const { server, lines } = await listen(({ method, signal }) => {
    return new Promise((resolve) => {
      if (method === 'GET') {
        reading = true;
        signal.addEventListener('abort', () => resolve(new Response('ended')));
      } else {
        writing = true;
        finish = () => resolve(new Response(signal.aborted ? 'ended' : 'finished'));
      }
    });
  });
  const { url } = server;
  const poll = fetch(url).then((response) => response.text());
  const post = fetch(url, { method: 'POST', body: 'x' }).then((response) => response.text());
  while (!reading || !writing) await new Promise(setImmediate);
  const closed = server.close(30_000);
  expect(await poll).toBe('ended');
  expect(lines).toHaveLength(1);
  await expect(fetch(url)).rejects.toThrow();
  finish();
  expect(await post).toBe('finished');
  await closed;
});

test('what takes longer than the drain is cut off', async () => {
  let aborted: Promise<unknown> | undefined;
  const { server } = await listen(({ signal }) => {
    aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    return new Promise(() => undefined);
  });
  const post = fetch(server.url, { method: 'POST', body: 'x' }).catch(() => 'cut off');
  while (!aborted) await new Promise(setImmediate);
  await server.close(0);
  expect(await post).toBe('cut off');
  await aborted;
});

test('a caller that goes away ends its long poll', async () => {
  let aborted: Promise<unknown> | undefined;
  const { server } = await listen(({ signal }) => {
    aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    return new Promise(() => undefined);
  });
  const call = httpRequest(server.url).on('error', () => undefined);
  call.end();
  while (!aborted) await new Promise(setImmediate);
  call.destroy();
  await aborted;
});
