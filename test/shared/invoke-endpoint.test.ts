import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { invokeEndpoint } from '../../functions/shared/invoke-endpoint.js';
import { EndpointError } from '../../lib/predictions/endpoint.js';

const request = {
  prompt: 'a tree',
  num_steps: 1,
  seed: 7,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
} as const;
const answer = {
  result: 'AAAA',
  seed: 7,
  num_steps: 1,
  output_format: 'png',
  decoder: 'vae',
  tokens_cut: 0,
  model: 'm',
};
const problem = { type: 'about:blank', title: 'Bad Request', status: 400, detail: 'no', request_id: 'r' };

let server: Server;
let respond: (request: IncomingMessage, response: ServerResponse) => void;
let url: string;
beforeEach(async () => {
  server = createServer((incoming, response) => respond(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const reply = (status: number, body: unknown, headers = {}) => {
  respond = (_, response) => response.writeHead(status, headers).end(JSON.stringify(body));
};
const invoke = (signal = new AbortController().signal) =>
  invokeEndpoint(url, request, { requestId: 'request-1', signal });
async function failure(signal?: AbortSignal): Promise<EndpointError> {
  const error = await invoke(signal).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(EndpointError);
  return error;
}

test('the request goes as JSON with its id; the answer comes with its phases', async () => {
  const seen: unknown[] = [];
  respond = (incoming, response) => {
    let body = '';
    incoming.on('data', (text) => (body += text));
    incoming.on('end', () => {
      const { method, url: path, headers } = incoming;
      seen.push([method, path, headers['content-type'], headers['x-request-id'], JSON.parse(body)]);
      response.setHeader('server-timing', 'queue;dur=1.5, unet;dur=20.0');
      response.end(JSON.stringify(answer));
    });
  };
  expect(await invoke()).toEqual({ answer, timings: { queue: 1.5, unet: 20 } });
  expect(seen).toEqual([['POST', '/invocations', 'application/json', 'request-1', request]]);
});

describe('what the endpoint answers instead', () => {
  test.each([
    [400, problem, 'refused'],
    [422, problem, 'refused'],
    [404, 'no problem', 'unknown'],
    [500, { ...problem, status: 500 }, 'model'],
    [502, { ...problem, status: 502 }, 'numbers'],
    [502, 'no problem', 'model'],
    [503, { ...problem, status: 503 }, 'busy'],
    [503, 'no problem', 'busy'],
    [302, '', 'unknown'],
    [200, { ...answer, result: '***' }, 'unknown'],
    [200, 'no answer', 'unknown'],
  ])('%d %j is %s', async (status, body, fault) => {
    reply(status, body);
    const error = await failure();
    expect(error.fault).toBe(fault);
    expect(error.problem).toEqual(typeof body === 'object' && 'detail' in body ? body : undefined);
  });
});

describe('no answer', () => {
  test('a connection that ends before or within the answer is lost; where none is taken, it is busy', async () => {
    respond = (incoming) => incoming.socket.destroy();
    expect((await failure()).fault).toBe('lost');
    respond = (incoming, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"result"');
      setImmediate(() => incoming.socket.destroy());
    };
    expect((await failure()).fault).toBe('lost');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect((await failure()).fault).toBe('busy');
  });

  test('the end of the patience is a timeout, also within the answer', async () => {
    const stop = new AbortController();
    respond = (_, response) => {
      response.writeHead(200);
      response.write('{');
      stop.abort();
    };
    expect((await failure(stop.signal)).fault).toBe('timeout');
    expect((await failure(AbortSignal.abort())).fault).toBe('timeout');
  });

  test('an answer without end is not read to its end', async () => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    respond = (_, response) => {
      const more = () => {
        while (response.writable && response.write(piece));
      };
      response.on('drain', more);
      more();
    };
    expect((await failure()).fault).toBe('unknown');
  });
});
