import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.js';
import { ROOT } from '../support/reference.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { CHROMIUM, launch, visit } from './browser.js';
import { StagedEndpoint } from './staged-endpoint.js';

/** What a page of somebody else gives its browser: one that asks, and tells how it went. */
const PAGE = `<!doctype html><title>elsewhere</title><script type="module">
import { createClient } from '/client.js';
window.ask = async (props, input, options = {}) => {
  const phases = [];
  const onProgress = ({ phase, id }) => phases.push(phase, ...(id ? ['id'] : []));
  try {
    const { images, ...rest } = await createClient(props).generate(input, { ...options, onProgress });
    return { ...rest, bytes: images.map(({ length }) => length), phases };
  } catch ({ message, status, retryable }) {
    return { message, status, retryable, phases };
  }
};
</script>`;

interface Told {
  readonly message?: string;
  readonly status?: number;
  readonly retryable?: boolean;
  readonly bytes?: number[];
  readonly timings?: object;
  readonly requestId?: string;
  readonly phases: string[];
}

type Ask = (
  props: { url: string; apiKey: string },
  input: object,
  options?: { timeoutMs?: number },
) => Promise<Told>;

/** A server of pages, on a port of its own. */
async function startPages(): Promise<Server> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'lib/client/index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
  });
  const client = outputFiles[0]?.text;
  const server = createServer(({ url }, response) => {
    const isClient = url === '/client.js';
    response.setHeader('content-type', isClient ? 'text/javascript' : 'text/html');
    response.end(isClient ? client : PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe.skipIf(!CHROMIUM)('a page of another origin', () => {
  const endpoint = new StagedEndpoint();
  let [pages, browser]: [Server | undefined, Browser | undefined] = [undefined, undefined];
  let page: Page;
  let origin: string;
  let open: MemoryServer;
  let closed: MemoryServer;

  beforeAll(async () => {
    pages = await startPages();
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    open = await startMemoryServer(endpoint, { stage: '/prod', corsOrigins: ['https://a.test', origin] });
    closed = await startMemoryServer(endpoint, { corsOrigins: ['https://a.test'] });
    browser = await launch();
    ({ page } = await visit(browser, origin));
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
    await Promise.all([open?.close(), closed?.close()]);
  });

  const ask: Ask = (props, input, options = {}) =>
    page.evaluate(
      (given) => (globalThis as unknown as { ask: Ask }).ask(given.props, given.input, given.options),
      {
        props,
        input,
        options,
      },
    );

  test('gets its picture, and what the head of the answer says', async () => {
    const told = await ask({ url: open.url, apiKey: KEY }, { prompt: 'a tree', numImages: 2 });
    expect(told.bytes).toEqual([expect.any(Number), expect.any(Number)]);
    expect(told.timings).toMatchObject({ unet: expect.any(Number), total: expect.any(Number) });
    expect(told.requestId).toMatch(/^[\w-]{36}$/);
  });

  test('follows a cold start', async () => {
    endpoint.condition = 'asleep';
    setTimeout(() => {
      endpoint.condition = 'ready';
    }, 500);
    const told = await ask({ url: open.url, apiKey: KEY }, { prompt: 'a tree' });
    expect(told.phases).toContain('id');
    expect(told.bytes).toHaveLength(1);
  });

  test('gets an error with its words', async () => {
    expect(await ask({ url: open.url, apiKey: KEY }, { prompt: 'a tree', steps: 9 })).toMatchObject({
      status: 400,
      message: 'steps: must be an integer from 1 to 4',
    });
    expect(await ask({ url: open.url, apiKey: 'wrong' }, { prompt: 'a tree' })).toMatchObject({
      status: 401,
    });
  });

  test('is told at once that the service does not allow it, and what would', async () => {
    const told = await ask({ url: closed.url, apiKey: KEY }, { prompt: 'a tree' });
    expect(told).toMatchObject({
      message:
        `${closed.url} is there, but does not allow pages of ${origin} (CORS): deploy it with -c corsOrigins=${origin}, ` +
        `or start it with --cors-origin ${origin}`,
      retryable: false,
    });
    expect(told.phases).not.toContain('retrying');
  });

  test('is told so of a service that is not there, which may come', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const told = await ask({ url, apiKey: KEY }, { prompt: 'a tree' }, { timeoutMs: 1_500 });
    expect(told).toMatchObject({
      message: `no picture came within 1.5 s: cannot reach ${url}`,
      retryable: true,
    });
    expect(told.phases).toContain('retrying');
  });

  test('is told no such thing where only the network has failed', async () => {
    await page.route(`${open.url}/predict`, (route) => route.abort('connectionreset'));
    const told = await ask({ url: open.url, apiKey: KEY }, { prompt: 'a tree' }, { timeoutMs: 1_000 });
    await page.unroute(`${open.url}/predict`);
    expect(told.message).toBe(`no picture came within 1 s: cannot reach ${open.url}`);
  });
});
