import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32 } from '../../../lib/weights/bytes/crc32.js';
import { PartialFile } from '../../../lib/weights/disk/partial-file.js';
import { type FetchProps, FetchThreads } from '../../../lib/weights/download/fetch-threads.js';
import { randomBytes } from '../../support/graphs/random-bundle.js';
import { ROOT } from '../../support/reference.js';
import { FETCH_WORKER } from '../../support/weights/fetch-worker.js';

/** More than two of the buffers that a thread fills before it writes. */
const LENGTH = 1_500_000;
const AT = 1000;
const bytes = randomBytes(LENGTH, 1);
const head = (length: number, more = '') =>
  `HTTP/1.1 206 Partial Content\r\ncontent-length: ${length}\r\n${more}\r\n`;
const never = new AbortController().signal;

let folder: string;
let file: PartialFile;
let threads: FetchThreads;
let server: Server;
/** What the server does when a request has come over `socket`. */
let answer: (socket: Socket, request: string) => void;
let connections = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-threads-'));
  file = await PartialFile.open(join(folder, 'weights'), AT + LENGTH + AT);
  threads = new FetchThreads(FETCH_WORKER, 1);
  answer = (socket) => void socket.write(Buffer.concat([Buffer.from(head(LENGTH)), bytes]));
  connections = 0;
  server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.on('data', (request) => answer(socket, String(request)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await threads.close();
  await file.close();
  server.close();
  await rm(folder, { recursive: true });
});

const written = () => readFile(join(folder, 'weights.partial'));
const untouched = Buffer.alloc(AT + LENGTH + AT);

interface FetchOptions {
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number) => void;
  readonly into?: FetchProps['file'];
}

function fetch({ signal = never, onBytes = () => undefined, into = file }: FetchOptions = {}) {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = { origin, head: 'GET /x HTTP/1.1\r\nhost: here\r\n\r\n' };
  return threads.fetch({ request, file: into, at: AT, length: LENGTH, onBytes }, signal);
}

describe('FetchThreads', () => {
  it('puts the bytes into their place, tells their number and their sum, and uses a connection again', async () => {
    let received = 0;
    const onBytes = (count: number) => {
      received += count;
    };
    for (let time = 1; time <= 3; time++) {
      expect(await fetch({ onBytes })).toBe(crc32(bytes));
      expect(received).toBe(time * LENGTH);
    }
    const expected = Buffer.concat([Buffer.alloc(AT), bytes, Buffer.alloc(AT)]);
    expect((await written()).equals(expected)).toBe(true);
    expect(connections).toBe(1);
  });

  it('starts a thread only when the others are busy, and never more than it may', async () => {
    const started: string[] = [];
    const entry = await writeEntry(`import { appendFileSync } from 'node:fs';
      appendFileSync(${JSON.stringify(join(folder, 'started'))}, 'x');`);
    threads = new FetchThreads(entry, 3);
    await fetch();
    await fetch();
    started.push(await readFile(join(folder, 'started'), 'utf8'));
    await Promise.all(Array.from({ length: 8 }, () => fetch()));
    started.push(await readFile(join(folder, 'started'), 'utf8'));
    expect(started).toEqual(['x', 'xxx']);
  });

  const notPlain: [string, string][] = [
    ['another status', 'HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\n'],
    ['a redirect', 'HTTP/1.1 307 Temporary Redirect\r\nlocation: /y\r\ncontent-length: 10\r\n\r\n'],
    ['fewer bytes than asked for', head(LENGTH - 1)],
    ['more bytes than asked for', head(LENGTH + 1)],
    ['no length', 'HTTP/1.1 206 Partial Content\r\n\r\n'],
    ['chunks', head(LENGTH, 'transfer-encoding: chunked\r\n')],
    ['a compressed body', head(LENGTH, 'content-encoding: gzip\r\n')],
    ['another protocol', '220 mail.example.com ESMTP\r\n\r\n'],
  ];
  it.each(notPlain)('%s: declines, and leaves the file alone', async (_name, text) => {
    answer = (socket) => void socket.write(Buffer.concat([Buffer.from(text), bytes]));
    expect(await fetch()).toBeUndefined();
    expect((await written()).equals(untouched)).toBe(true);
  });

  it('declines where no connection can be made', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const origin = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    const props = { request: { origin, head: '' }, file, at: AT, length: LENGTH, onBytes: () => undefined };
    expect(await threads.fetch(props, never)).toBeUndefined();
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['an early end', (socket) => socket.end(head(LENGTH) + 'x'.repeat(10)), /closed too early/],
    ['no head', (socket) => socket.end('HTTP/1.1 206'), /closed too early/],
    ['an endless head', (socket) => socket.write(`HTTP/1.1 206 ${'x'.repeat(20_000)}`), /head .* too long/],
  ])('%s: fails with a code, as the system does', async (_name, act, message) => {
    answer = act;
    await expect(fetch()).rejects.toMatchObject({
      code: 'ECONNRESET',
      message: expect.stringMatching(message),
    });
  });

  it('writes nothing any more after it was stopped in mid-body, however much comes', async () => {
    const half = 700_000;
    let peer: Socket | undefined;
    answer = (socket) => {
      peer = socket;
      socket.write(Buffer.concat([Buffer.from(head(LENGTH)), bytes.subarray(0, half)]));
    };
    const controller = new AbortController();
    const reason = new Error('enough');
    let received = 0;
    const fetching = fetch({
      signal: controller.signal,
      onBytes: (count) => {
        received += count;
      },
    });
    while (!(await written()).includes(bytes.subarray(0, 100))) await pause(5);
    // On its way to the thread when the word to stop is.
    peer?.write(bytes.subarray(half, -1));
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
    expect(received).toBeGreaterThan(0);
    const then = await written();
    while (!peer?.destroyed) {
      peer?.write(bytes.subarray(-1));
      await pause(5);
    }
    await pause(100);
    expect((await written()).equals(then)).toBe(true);
    // The thread is as good as before.
    answer = (socket) => void socket.write(Buffer.concat([Buffer.from(head(LENGTH)), bytes]));
    expect(await fetch()).toBe(crc32(bytes));
  });

  it('tells that bytes come, long before there are enough of them to be written', async () => {
    answer = (socket) => {
      socket.write(head(LENGTH));
      const drops = setInterval(() => socket.write('drop'), 10);
      socket.once('close', () => clearInterval(drops));
    };
    const controller = new AbortController();
    let told = 0;
    const onBytes = () => {
      if (++told === 3) controller.abort(new Error('enough'));
    };
    await expect(fetch({ signal: controller.signal, onBytes })).rejects.toThrow('enough');
    expect((await written()).equals(untouched)).toBe(true);
  });

  it('says that the disk is full, or what else is wrong with the file', async () => {
    const full = await open('/dev/full', 'r+');
    const readOnly = await open(join(folder, 'weights.partial'), 'r');
    const into = (descriptor: number) => fetch({ into: { path: '/models/unet', descriptor } });
    await expect(into(full.fd)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message: 'the disk is full: /models/unet',
    });
    await expect(into(readOnly.fd)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/^cannot write \/models\/unet: EBADF/),
    });
    await full.close();
    await readOnly.close();
  });

  it('fails what was under way when its thread dies, and starts another for what comes then', async () => {
    const marker = JSON.stringify(join(folder, 'died'));
    const entry = await writeEntry(`import { existsSync, writeFileSync } from 'node:fs';
      import { parentPort } from 'node:worker_threads';
      if (!existsSync(${marker})) parentPort.on('message', () => {
        writeFileSync(${marker}, '');
        throw new Error('an accident');
      });`);
    threads = new FetchThreads(entry, 1);
    const dying = Promise.allSettled([fetch(), fetch()]);
    for (const result of await dying) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_WORKER_EXITED', message: 'the thread that fetched it has ended: an accident' },
      });
    }
    expect(await fetch()).toBe(crc32(bytes));
  });

  it('says so when there is no such module', async () => {
    threads = new FetchThreads(pathToFileURL(join(folder, 'nowhere.mjs')), 1);
    await expect(fetch()).rejects.toThrow(
      /^the thread that fetched it has ended: Cannot find module .*nowhere/,
    );
  });

  it('runs from the bundle of the container', async () => {
    execFileSync(process.execPath, ['functions/endpoint/bundle.mjs', '--outdir', folder], { cwd: ROOT });
    threads = new FetchThreads(pathToFileURL(join(folder, 'fetch-worker.mjs')), 1);
    expect(await fetch()).toBe(crc32(bytes));
  });
});

/** A thread that does its work, and what `code` says. */
async function writeEntry(code: string): Promise<URL> {
  const path = join(folder, 'entry.mjs');
  await writeFile(path, `import ${JSON.stringify(FETCH_WORKER.href)};\n${code}\n`);
  return pathToFileURL(path);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
