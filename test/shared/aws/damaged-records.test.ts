import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { S3PredictionStore } from '../../../functions/shared/aws/s3/s3-prediction-store.js';
import { S3Records } from '../../../functions/shared/aws/s3/s3-records.js';
import { S3WakeLog } from '../../../functions/shared/aws/s3/s3-wake-log.js';
import { errorFields } from '../../../functions/shared/error-fields.js';
import { toProblem } from '../../../functions/shared/problem-response.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import { requestRecord } from '../../support/predictions/prediction-records.js';

const SECRET = 'a very private tree';

/** What every read is answered with, and the writes that there were. */
let body: Buffer;
let writes: { readonly condition: string | undefined; readonly text: string }[];
let server: Server;
let records: S3Records;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    if (request.method !== 'GET') {
      writes.push({ condition: request.headers['if-match'], text: Buffer.concat(pieces).toString() });
      return response.writeHead(200, { etag: '"2"', 'content-length': 0 }).end();
    }
    return response.writeHead(200, { etag: '"1"', 'content-length': body.length }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
  records = new S3Records(client, 'bucket');
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  writes = [];
});

const DAMAGED: readonly [string, string | Buffer][] = [
  ['empty', ''],
  ['truncated', `{"prompt": "${SECRET}`],
  ['another record', JSON.stringify({ note: SECRET })],
  ['no UTF-8', Buffer.from(JSON.stringify(requestRecord()).replace('a tree', 'a tr\xe9\xe9'), 'latin1')],
  ['of a later version', JSON.stringify({ ...requestRecord(), [SECRET]: 1 })],
];

describe.each(DAMAGED)('a record that is %s', (_, text) => {
  beforeEach(() => {
    body = Buffer.from(text);
  });

  test('is named by its id to the log, and a caller is told what to do; nobody reads what is in it', async () => {
    const store = new S3PredictionStore(records);
    const { id } = requestRecord();
    const error = await store.readRequest(id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_FILE', retryable: false });
    const logged = JSON.stringify(errorFields(error));
    expect(logged).toContain(id);
    expect(logged).not.toContain('private');
    const problem = toProblem(error, 'request');
    expect(problem).toMatchObject({
      status: 500,
      detail: expect.stringMatching(/damaged.*send its request again/),
    });
    // That it is there is all that a note says.
    expect(await store.isQueued(id)).toBe(true);
  });

  test('of wakes keeps nobody from waking the endpoint, and is replaced', async () => {
    let wakes = 0;
    const endpoint = { wake: async () => void wakes++, state: async () => ({ state: 'asleep' as const }) };
    const waker = new Waker({ endpoint, log: new S3WakeLog(records) });
    expect(await waker.estimate()).toBe(0);
    expect(await waker.health()).toEqual({ state: 'asleep' });
    expect(await waker.wake()).toBe(true);
    expect(wakes).toBe(1);
    expect(writes).toEqual([{ condition: '"1"', text: expect.stringContaining('"ready_at":null') }]);
  });
});
