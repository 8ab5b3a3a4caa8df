import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { S3Records } from '../../../../functions/shared/aws/s3/s3-records.js';
import { toProblem } from '../../../../functions/shared/problem-response.js';

const BUCKET = 'a-private-bucket';
const CREATE = { IfNoneMatch: '*' } as const;

/** Answers in turn, the last one for good; `cut` ends the connection after the object was taken. */
let script: (number | 'cut')[];
let requests: { readonly method: string | undefined; readonly condition: string | undefined }[];
let server: Server;
let records: S3Records;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ method: request.method, condition: request.headers['if-none-match'] });
    request.resume().on('end', () => {
      const next = script.length > 1 ? script.shift() : script[0];
      if (next === 'cut') response.destroy();
      else response.writeHead(next ?? 200, { etag: '"1"', 'content-length': 2 }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  records = new S3Records(client, BUCKET);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  requests = [];
});

describe('a write', () => {
  test.each([
    ['taken', [200], true, 1],
    ['there already', [412], false, 1],
    ['meets another one, then taken', [409, 409, 200], true, 3],
    ['meets another one, which was faster', [409, 412], false, 2],
    // The SDK asks again by itself: whoever is told `false` may have written it.
    ['answer lost, and asked again', ['cut', 412], false, 2],
    ['refused, then taken', [503, 200], true, 2],
  ] as const)('%s', async (_, answers, written, count) => {
    script = [...answers];
    expect(await records.write('key', {}, CREATE)).toBe(written);
    expect(requests).toEqual(Array(count).fill({ method: 'PUT', condition: '*' }));
  });

  test('that meets others without end is given up', async () => {
    script = [409];
    await expect(records.write('key', {}, CREATE)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(requests).toHaveLength(6);
  });

  test('that replaces what is not there has not replaced it', async () => {
    script = [404];
    expect(await records.write('key', {}, { IfMatch: '"1"' })).toBe(false);
  });
});

describe.each([403, 503])('a store that answers %i', (status) => {
  test.each(['read', 'write'] as const)(
    'to a %s: unavailable, and the bucket stays unnamed',
    async (call) => {
      script = [status];
      const done = call === 'read' ? records.read('key') : records.write('key', {}, CREATE);
      const error = await done.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'UNAVAILABLE',
        cause: { message: expect.stringContaining(BUCKET) },
      });
      expect(JSON.stringify(toProblem(error, 'request'))).not.toContain(BUCKET);
    },
  );
});

test('what is not there is undefined', async () => {
  script = [404];
  expect(await records.read('key')).toBeUndefined();
});
