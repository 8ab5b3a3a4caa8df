import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HomeServer } from '../../functions/home/home-server.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { badService, KEY } from '../api/bad-service.js';
import { until } from '../support/until.js';

const { app, stop, telemetry } = badService();
let server: HomeServer;
let port: number;
const answered: string[] = [];
beforeAll(async () => {
  server = await HomeServer.listen({
    fetch: (request) => app.fetch(request),
    host: '127.0.0.1',
    port: 0,
    onAnswer: (line) => answered.push(line),
  });
  port = Number(new URL(server.url).port);
});
afterAll(async () => {
  await server.close(0);
  await stop();
});

const BODY = '{"prompt":"a tree"}';
const HOST = 'Host: localhost\r\n';
const HEAD = `${HOST}x-api-key: ${KEY}\r\ncontent-type: application/json\r\n`;
const PICTURE = `POST /predict HTTP/1.1\r\n${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** Sends bytes as they are; what comes back until that is whole, or until the server hangs up. */
function exchange(sent: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      received += text;
      const [, length, body] = /content-length: (\d+).*?\r\n\r\n(.*)/is.exec(received) ?? [];
      if (body !== undefined && body.length >= Number(length)) socket.destroy();
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    socket.write(sent);
  });
}

function statusesOf(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

function problemOf(received: string) {
  expect(received).toMatch(/content-type: application\/problem\+json/i);
  const problem = problemSchema.parse(JSON.parse(received.slice(received.indexOf('{'))));
  if (problem.status === 400) expect(problem.errors).toHaveLength(1);
  return problem;
}

const request = (line: string, headers = '', body = '') => `${line} HTTP/1.1\r\n${HEAD}${headers}\r\n${body}`;
const chunked = (chunks: string) =>
  `POST /predict HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks}`;
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const REFUSED: [string, string | Buffer, number][] = [
  ['a chunk whose size is none', chunked(`zz\r\n${BODY}\r\n0\r\n\r\n`), 400],
  ['70,000 bytes in one chunk', chunked(`11170\r\n${' '.repeat(70_000)}\r\n`), 413],
  [
    '700,000 bytes, of which some come',
    request('POST /predict', 'Content-Length: 700000\r\n', ' '.repeat(70_000)),
    413,
  ],
  [
    'a length and chunks',
    request('POST /predict', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  ['two lengths', request('POST /predict', 'Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), 400],
  ['a negative length', request('POST /predict', 'Content-Length: -2\r\n', '{}'), 400],
  ['a header that goes on in the next line', request('GET /health', 'x-request-id: a\r\n b\r\n'), 400],
  ['NUL in a header', request('GET /health', 'x-request-id: a\0b\r\n'), 400],
  ['half a line end in a header', request('GET /health', 'x-request-id: a\rx-evil: b\r\n'), 400],
  ['a blank in the name of a header', request('GET /health', 'x y: 1\r\n'), 400],
  [
    'bytes above ASCII in Idempotency-Key',
    latin1(request('POST /predict', 'idempotency-key: \xff\r\nContent-Length: 2\r\n', '{}')),
    400,
  ],
  ['headers of 20,000 bytes', request('GET /health', `x: ${'x'.repeat(20_000)}\r\n`), 431],
  ['a path of 20,000 bytes', request(`GET /${'x'.repeat(20_000)}`), 431],
  ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
  ['no Host, and HTTP 1.0', 'GET /health HTTP/1.0\r\n\r\n', 400],
  ['a Host with a blank', 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a Host with a path', 'GET /health HTTP/1.1\r\nHost: evil.example/x?#\r\n\r\n', 400],
  ['half an address as Host', 'GET /health HTTP/1.1\r\nHost: [::\r\n\r\n', 400],
  ['no path', request('GET health'), 400],
  ['half a URL', request('GET http://['), 400],
  ['an asterisk', request('OPTIONS *'), 400],
  ['bytes above ASCII in the path', latin1(request('GET /\x80\xff')), 400],
  ['backslashes', request('GET \\\\evil\\health'), 400],
  ['a host in the path', request('GET //evil.example/health'), 404],
  ['broken escapes', request('GET /predictions/%zz%ff'), 404],
  ['TRACE', request('TRACE /predict'), 405],
  ['a method in small letters', request('post /predict'), 400],
  ['the beginning of TLS', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]), 400],
  ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
];

describe('what only a socket can say', () => {
  test.each(REFUSED)('%s: refused in words', async (_, sent, status) => {
    const received = await exchange(sent);
    expect(statusesOf(received)).toEqual([status]);
    expect(problemOf(received).status).toBe(status);
    expect(received).toMatch(/x-request-id: [\w-]{36}\r\n/i);
    expect(received).not.toMatch(/^x-evil/im);
  });

  test.each([
    ['chunks without a length', chunked(`${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`)],
    ['an expectation', PICTURE.replace(HOST, `${HOST}Expect: 100-continue\r\n`)],
    ['an expectation that nobody knows', PICTURE.replace(HOST, `${HOST}Expect: a miracle\r\n`)],
    ['a body where none is looked for', request('GET /health', 'Content-Length: 2\r\n', '{}')],
    [
      'an upgrade that is not to be had',
      request('GET /health', 'Connection: upgrade\r\nUpgrade: websocket\r\n'),
    ],
    ['a whole URL', request('GET http://other.example/health')],
  ])('%s: taken', async (_, sent) => {
    expect(statusesOf(await exchange(sent)).at(-1)).toBe(200);
  });

  test('CONNECT gets no answer, and no connection', async () => {
    expect(await exchange(request('CONNECT example.com:443'))).toBe('');
  });

  test('what follows a body that was refused is a request again', async () => {
    const tooLong = `${request('POST /predict', 'Content-Length: 70000\r\n')}${' '.repeat(70_000)}`;
    const next = request('GET /health', 'Connection: close\r\n');
    const before = answered.length;
    await exchange(tooLong + next);
    await until('both are answered', () => answered.length === before + 2);
    expect(answered.at(-1)).toMatch(/^GET \/health 200 /);
  });

  test("an upload that breaks off is nobody's failure", async () => {
    const before = answered.length;
    for (let count = 0; count < 20; count++) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${request('POST /predict', 'Content-Length: 1000\r\n')}{"pro`, () => socket.destroy());
    }
    await until('all of them are over', () => answered.length === before + 20);
    const lines = answered.slice(before);
    expect(lines.filter((line) => !/^POST \/predict 400 /.test(line))).toEqual([]);
  });

  test('after all of this the service draws, and its log has no error', async () => {
    expect(statusesOf(await exchange(PICTURE))).toEqual([200]);
    expect(telemetry.lines.filter((line) => line.includes('a request failed'))).toEqual([]);
  });
});
