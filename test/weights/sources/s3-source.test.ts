import { once } from 'node:events';
import { createServer } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readManifest } from '../../../lib/weights/bundle/read-manifest.js';
import type { ByteRange } from '../../../lib/weights/bytes/byte-range.js';
import { DEFAULT_TRANSFER_POLICY, transfer } from '../../../lib/weights/bytes/transfer.js';
import type { BodyTarget } from '../../../lib/weights/sources/direct/direct-connection.js';
import { DirectReader } from '../../../lib/weights/sources/direct/direct-reader.js';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { parseS3Url } from '../../../lib/weights/sources/s3/s3-location.js';
import { S3Source } from '../../../lib/weights/sources/s3/s3-source.js';
import { randomBundle, uploadBundle } from '../../support/graphs/random-bundle.js';
import {
  type Fault,
  type FaultProxy,
  type ProxiedRequest,
  startFaultProxy,
} from '../../support/servers/fault-proxy.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../support/servers/moto-server.js';
import { MemoryTarget } from '../../support/weights/memory-target.js';

describe('parseS3Url', () => {
  it.each([
    ['s3://my-bucket', { bucket: 'my-bucket', prefix: '' }],
    ['s3://my-bucket/', { bucket: 'my-bucket', prefix: '' }],
    ['s3://my.bucket/a/b c', { bucket: 'my.bucket', prefix: 'a/b c' }],
    ['s3://my-bucket/a/', { bucket: 'my-bucket', prefix: 'a' }],
  ])('reads %s', (url, location) => {
    expect(parseS3Url(url)).toEqual(location);
  });

  it.each([
    's3:/bucket',
    's3://',
    's3:///a',
    's3://UPPER/a',
    's3://b',
    'https://x/y',
    's3://bucket//a',
    's3://bucket/a//b',
  ])('refuses %s and repeats it', (url) => {
    expect(() => parseS3Url(url)).toThrow(`"${url}" `);
  });
});

const KEY = "dir/a b+c'(ü)%.bin";
const bundle = randomBundle({ [KEY]: 300_000, empty: 0 }, 300_000);
const bytes = bundle.contents.get(KEY) as Buffer;
const never = new AbortController().signal;

describe.skipIf(motoIsAbsent())('S3Source', () => {
  let moto: MotoServer;
  let proxy: FaultProxy;
  let client: S3Client;
  let fault: Fault | undefined;
  let faultFor: (request: ProxiedRequest) => Fault | undefined = () => fault;
  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startFaultProxy({ target: moto.url, faultFor: (request) => faultFor(request) });
    client = createS3Client(motoClientConfig(proxy.url));
    await uploadBundle(client, 'models', bundle);
    proxy.requests.length = 0;
  });
  afterAll(async () => {
    client?.destroy();
    await proxy?.stop();
    await moto?.stop();
  });
  afterEach(() => {
    fault = undefined;
    faultFor = () => fault;
    proxy.requests.length = 0;
  });
  const source = (prefix = '', bucket = 'models') => new S3Source(client, { bucket, prefix });

  it('opens a range', async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of await source().open(KEY, { start: 1000, end: 250_001 }, never))
      pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes.subarray(1000, 250_001))).toBe(true);
    expect(proxy.requests).toHaveLength(1);
    expect(proxy.requests[0]).toMatchObject({ path: `/models/${KEY}`, range: 'bytes=1000-250000' });
  });

  it('lets the same range be fetched directly, into rooms of any size', async () => {
    for (const roomBytes of [1, 1000, 300_000]) {
      const target = new MemoryTarget(249_001, roomBytes);
      await fetchDirectly(source('dir'), KEY.slice(4), { start: 1000, end: 250_001 }, target);
      expect(target.bytes.equals(bytes.subarray(1000, 250_001)), `rooms of ${roomBytes}`).toBe(true);
    }
    // Node's own client would have said "keep-alive".
    expect(proxy.requests.map(({ headers }) => headers.connection)).toEqual(Array(3).fill(undefined));
  });

  it('uses a connection again', async () => {
    const ports = new Set<string>();
    const server = createServer((socket) => {
      ports.add(String(socket.remotePort));
      socket.on('data', (request) => {
        const body = /bytes=0-/.test(String(request)) ? 'first' : 'other';
        // In two parts, the second of which begins inside the head.
        socket.write('HTTP/1.1 206 Partial Content\r\ncontent-le');
        setTimeout(() => socket.write(`ngth: 5\r\n\r\n${body}`), 20);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const plain = createS3Client(motoClientConfig(`http://127.0.0.1:${port}`));
    const local = new S3Source(plain, { bucket: 'models', prefix: '' });
    const seen: string[] = [];
    const reader = new DirectReader();
    for (const start of [0, 5]) {
      const target = new MemoryTarget(5);
      await fetchDirectly(local, 'x', { start, end: start + 5 }, target, never, reader);
      seen.push(String(target.bytes));
    }
    expect(seen).toEqual(['first', 'other']);
    expect(ports.size).toBe(1);
    server.close();
  });

  it('passes on an error of the target, and stops reading', async () => {
    const target = new MemoryTarget(300_000, 1000, (filled) => {
      if (filled === 2000) throw new Error('full');
    });
    await expect(fetchDirectly(source(), KEY, { start: 0, end: 300_000 }, target)).rejects.toThrow('full');
    expect(target.bytes).toHaveLength(2000);
    while (proxy.openTransfers() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('stops in mid-body, whichever way it reads', async () => {
    fault = { kind: 'stall', after: 50_000 };
    const reason = new Error('enough');
    for (const read of [readStream, readDirectly]) {
      const controller = new AbortController();
      let received = 0;
      const onFilled = (filled: number) => {
        received = filled;
        if (filled === 50_000) controller.abort(reason);
      };
      await expect(read(new MemoryTarget(300_000, 300_000, onFilled), controller.signal)).rejects.toThrow();
      expect(received).toBe(50_000);
    }
    while (proxy.openTransfers() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  async function readStream(target: MemoryTarget, signal: AbortSignal) {
    for await (const piece of await source().open(KEY, { start: 0, end: 300_000 }, signal))
      target.filled(piece.length);
  }
  async function readDirectly(target: MemoryTarget, signal: AbortSignal) {
    await fetchDirectly(source(), KEY, { start: 0, end: 300_000 }, target, signal);
  }

  it('closes the connection when the reader of a stream leaves', async () => {
    fault = { kind: 'stall', after: 50_000 };
    for await (const _ of await source().open(KEY, { start: 0, end: 300_000 }, never)) break;
    while (proxy.openTransfers() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('reads a small file whole, and refuses one that is too long', async () => {
    expect(Buffer.from(await source().readSmall(KEY, 300_000, never)).equals(bytes)).toBe(true);
    expect(await source().readSmall('empty', 0, never)).toHaveLength(0);
    await expect(source().readSmall(KEY, 299_999, never)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: `s3://models/${KEY} is longer than 299999 bytes`,
    });
  });

  it('says what does not exist', async () => {
    const range = { start: 0, end: 10 };
    await expect(source('no/such').open('x', range, never)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 's3://models/no/such/x does not exist',
    });
    await expect(source('', 'no-such-bucket').open('x', range, never)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 's3://no-such-bucket/x: the bucket does not exist',
    });
    await expect(source().open('empty', range, never)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/^s3:\/\/models\/empty is shorter than expected \(InvalidRange/),
    });
  });

  it('tells an expired token and a forbidden object apart', async () => {
    fault = { kind: 'status', status: 400, code: 'ExpiredToken' };
    await expect(source().readSmall(KEY, 10, never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: `cannot read s3://models/${KEY}: ExpiredToken: injected (HTTP 400)`,
    });
    fault = { kind: 'status', status: 403, code: 'AccessDenied' };
    await expect(source().readSmall(KEY, 10, never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message: `cannot read s3://models/${KEY}: AccessDenied: injected (HTTP 403)`,
    });
  });

  it('tells a server that is away from a wrong configuration', async () => {
    const away = new S3Source(createS3Client(motoClientConfig('http://127.0.0.1:9')), {
      bucket: 'models',
      prefix: '',
    });
    await expect(fetchDirectly(away, 'x', { start: 0, end: 1 }, new MemoryTarget(1))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const broken = createS3Client({
      credentials: () => Promise.reject(new Error('no keys')),
      region: 'us-east-1',
    });
    await expect(
      new S3Source(broken, { bucket: 'models', prefix: '' }).readSmall('x', 1, never),
    ).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message: 'cannot read s3://models/x: Error: no keys',
    });
  });

  it('comes through when the token expires and the SDK fetches another', async () => {
    const keyOf = (authorization = '') => /Credential=(\w+)/.exec(authorization)?.[1];
    faultFor = ({ headers }) =>
      keyOf(headers.authorization) === 'key1'
        ? { kind: 'status', status: 400, code: 'ExpiredToken' }
        : undefined;
    // The SDK asks again when less than 5 minutes are left: for the first credentials, soon.
    let given = 0;
    const credentials = async () => {
      const expiration = new Date(Date.now() + 300_000 + (++given === 1 ? 100 : 300_000));
      return { accessKeyId: `key${given}`, secretAccessKey: 'test', expiration };
    };
    const expiring = createS3Client({ ...motoClientConfig(proxy.url), credentials });
    const local = new S3Source(expiring, { bucket: 'models', prefix: '' });
    await transfer('x', { ...DEFAULT_TRANSFER_POLICY, random: () => 0.1 }, never, (signal) =>
      fetchDirectly(local, KEY, { start: 0, end: 10 }, new MemoryTarget(10), signal),
    );
    const keys = proxy.requests.map(({ headers }) => keyOf(headers.authorization));
    expect([keys[0], keys.at(-1)]).toEqual(['key1', 'key2']);
  });

  it('is not held up by credentials that never come', async () => {
    const stuck = new S3Client({ ...motoClientConfig(proxy.url), credentials: () => new Promise(() => {}) });
    const policy = { retries: 1, stallTimeoutMs: 50, sleep: async () => {} };
    await expect(
      readManifest(new S3Source(stuck, { bucket: 'models', prefix: '' }), policy),
    ).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 's3://models/manifest.json: nothing came for 0.05 s (2 attempts)',
    });
  });
});

/** Fails when the bytes come by the stream. */
async function fetchDirectly(
  source: S3Source,
  key: string,
  range: ByteRange,
  target: BodyTarget,
  signal = never,
  reader = new DirectReader(),
): Promise<void> {
  const body = await source.open(key, range, signal, (request) => reader.get(request, target, signal));
  for await (const _ of body) throw new Error('the stream is not empty');
}
