import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { selfTestRecordSchema } from '../../lib/schemas/self-test.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { ROOT } from '../support/reference.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';
import { putBundle } from '../support/weights/put-bundle.js';
import { readObjects } from '../support/weights/s3-objects.js';

const SERVER = join(ROOT, 'dist/functions/endpoint/server.js');
const DEMO = join(ROOT, 'lib/demo-model/bundle');
const scratch = mkdtempSync(join(tmpdir(), 'server-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const started: EndpointProcess[] = [];
afterAll(() => {
  for (const endpoint of started) endpoint.signal('SIGKILL');
});

function start(environment: Record<string, string>): EndpointProcess {
  const endpoint = new EndpointProcess([process.execPath, SERVER], { PORT: '0', ...environment });
  started.push(endpoint);
  return endpoint;
}

test.each(['1', '2'])(
  'a bundle in a directory is used where it lies; SIGTERM answers what was accepted, %s at once, and ends with 0',
  async (MAX_BATCH_SIZE) => {
    const endpoint = start({ MODEL_URI: DEMO, MAX_BATCH_SIZE });
    expect(await endpoint.settled()).toMatchObject({
      state: 'ready',
      provider: 'cpu',
      model: 'sd-turbo-demo',
    });
    const pictures = [1, 2].map((seed) =>
      endpoint.draw({ prompt: 'a very private tree', seed, num_steps: 2 }),
    );
    // Only once they are accepted: the first has begun, the second waits.
    await new Promise((resolve) => setTimeout(resolve, 100));
    endpoint.signal('SIGTERM');
    for (const picture of await Promise.all(pictures)) {
      expect(picture.status).toBe(200);
      generateAnswerSchema.parse(await picture.json());
    }
    expect(await endpoint.exited()).toBe(0);
    expect(endpoint.log).not.toContain('private');
  },
);

test('Server-Timing says that the text encoder does not run again for a prompt', async () => {
  const endpoint = start({ MODEL_URI: DEMO });
  await endpoint.settled();
  const textTime = async (prompt: string, seed: number) => {
    const { headers } = await endpoint.draw({ prompt, seed });
    return /text_encoder;dur=([\d.]+)/.exec(headers.get('server-timing') ?? '')?.[1];
  };
  expect(Number(await textTime('a boat', 1))).toBeGreaterThan(0);
  expect(await textTime('a boat', 2)).toBe('0.0');
  expect(Number(await textTime('a tree', 2))).toBeGreaterThan(0);
});

test('a variable that is unset or malformed is named, and the process ends', async () => {
  const unset = start({ MODEL_URI: '' });
  expect(await unset.exited()).not.toBe(0);
  expect(unset.log).toContain('MODEL_URI');
  const malformed = start({ MODEL_URI: DEMO, QUEUE_LIMIT: 'many' });
  expect(await malformed.exited()).not.toBe(0);
  expect(malformed.log).toMatch(/QUEUE_LIMIT is malformed/);
  const tooMany = start({ MODEL_URI: DEMO, MAX_BATCH_SIZE: '5' });
  expect(await tooMany.exited()).not.toBe(0);
  expect(tooMany.log).toMatch(/MAX_BATCH_SIZE is malformed/);
  const elsewhere = start({ MODEL_URI: 'gs://weights/demo' });
  expect(await elsewhere.exited()).not.toBe(0);
  expect(elsewhere.log).toMatch(/MODEL_URI is malformed: gs:\/\/\.\.\. is no place .* a directory or s3:/);
});

test('what can never be loaded is told at /ping, then the process ends with 1', async () => {
  const endpoint = start({ MODEL_URI: join(scratch, 'nothing') });
  const status = await endpoint.settled();
  expect([(await endpoint.ping()).code, status.state]).toEqual([503, 'failed']);
  expect(status.error).toContain(join(scratch, 'nothing'));
  expect((await endpoint.draw({ prompt: 'x' })).status).toBe(503);
  expect(await endpoint.exited()).toBe(1);
});

describe('a session thread that ends', () => {
  async function ready(): Promise<{ endpoint: EndpointProcess; endThreads: () => void }> {
    const THREADS_END = join(scratch, `end-${started.length}`);
    const command = [
      process.execPath,
      '--import',
      join(ROOT, 'test/support/processes/end-threads.mjs'),
      SERVER,
    ];
    const endpoint = new EndpointProcess(command, { PORT: '0', MODEL_URI: DEMO, THREADS_END });
    started.push(endpoint);
    expect(await endpoint.settled()).toMatchObject({ state: 'ready' });
    return { endpoint, endThreads: () => writeFileSync(THREADS_END, '') };
  }

  test('while nobody asks: /ping says so, requests are for other copies, and the process ends with 1', async () => {
    const { endpoint, endThreads } = await ready();
    endThreads();
    await vi.waitUntil(async () => (await endpoint.ping()).status.state === 'failed', { timeout: 30_000 });
    const { code, status } = await endpoint.ping();
    expect([code, status.error]).toEqual([503, 'the session thread has ended']);
    expect((await endpoint.draw({ prompt: 'a tree' })).status).toBe(503);
    expect(await endpoint.exited()).toBe(1);
    expect(endpoint.log).toContain('the model can draw nothing any more');
  });

  test('while it draws: the request may be drawn elsewhere, and so may those that wait', async () => {
    const { endpoint, endThreads } = await ready();
    const pictures = [1, 2, 3].map((seed) => endpoint.draw({ prompt: 'a tree', seed, num_images: 4 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    endThreads();
    const answers = await Promise.all(pictures);
    expect(answers.map(({ status }) => status).filter((status) => ![200, 503].includes(status))).toEqual([]);
    expect(answers.at(-1)?.status).toBe(503);
    expect(await endpoint.exited()).toBe(1);
  });
});

describe.skipIf(motoIsAbsent())('weights from S3, over the wire', () => {
  let moto: MotoServer;
  let environment: Record<string, string>;
  beforeAll(async () => {
    moto = await startMotoServer();
    environment = {
      AWS_ENDPOINT_URL_S3: moto.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    await putBundle(createS3Client(motoClientConfig(moto.url)), DEMO, 'weights', 'demo');
  });
  afterAll(() => moto.stop());

  test('from an empty disk to a picture, and again from a full one', async () => {
    const MODEL_DIRECTORY = join(scratch, 'model');
    for (const _ of ['first wake', 'second wake']) {
      const endpoint = start({ ...environment, MODEL_URI: 's3://weights/demo', MODEL_DIRECTORY });
      const status = await endpoint.settled();
      expect(status).toMatchObject({ state: 'ready', model: 'sd-turbo-demo' });
      expect(status.bytes_done).toBe(status.bytes_total);
      expect(status.bytes_total).toBeGreaterThan(7_000_000);
      expect(Object.keys(status.seconds)).toEqual(['starting', 'downloading', 'loading', 'warming']);
      expect((await endpoint.draw({ prompt: 'a boat' })).status).toBe(200);
      endpoint.signal('SIGTERM');
      expect(await endpoint.exited()).toBe(0);
    }
  });

  test('without a recorded picture: the first wake draws and records it, later loads have it', async () => {
    const client = createS3Client(motoClientConfig(moto.url));
    const to = 's3://recorded/demo';
    await client.send(new CreateBucketCommand({ Bucket: 'recorded' }));
    const from = join(ROOT, 'test/fixtures/family/sharded/checkpoint');
    await importCheckpoint({ from, to }, { s3: client });
    const read = () => readObjects(client, 'recorded', 'demo');
    expect((await read()).has('self-test.json')).toBe(false);
    const MODEL_DIRECTORY = join(scratch, 'recorded');
    const wake = async () => {
      const endpoint = start({ ...environment, MODEL_URI: to, MODEL_DIRECTORY });
      expect(await endpoint.settled()).toMatchObject({ state: 'ready' });
      return endpoint;
    };
    const first = await wake();
    await vi.waitUntil(async () => (await read()).has('self-test.json'), { timeout: 30_000 });
    first.signal('SIGTERM');
    const { self_test } = selfTestRecordSchema.parse(
      JSON.parse(String((await read()).get('self-test.json'))),
    );
    expect((await openBundle(MODEL_DIRECTORY)).selfTest).toEqual({});
    const second = await wake();
    second.signal('SIGTERM');
    expect(await second.exited()).toBe(0);
    // What it was compared with.
    expect((await openBundle(MODEL_DIRECTORY)).selfTest).toEqual(self_test);
    expect(second.log).not.toContain('self-test');

    // Another bundle in the same place has no record.
    const other = join(ROOT, 'test/fixtures/family/unusual/checkpoint');
    await importCheckpoint({ from: other, to }, { s3: client });
    expect((await read()).has('self-test.json')).toBe(false);
  });

  test.each([
    ['a missing bucket', 's3://nowhere/demo', 'nowhere'],
    ['a missing bundle', 's3://weights/other', 's3://weights/other/manifest.json'],
    ['a bad manifest', 's3://weights/bad', 's3://weights/bad/manifest.json'],
  ])('%s: named at /ping, exit code 1', async (_, MODEL_URI, named) => {
    const client = createS3Client(motoClientConfig(moto.url));
    await client.send(
      new PutObjectCommand({ Bucket: 'weights', Key: 'bad/manifest.json', Body: '{"format": 1}' }),
    );
    const endpoint = start({ ...environment, MODEL_URI, MODEL_DIRECTORY: join(scratch, 'none') });
    const status = await endpoint.settled();
    expect(status.state).toBe('failed');
    expect(status.error).toContain(named);
    expect(await endpoint.exited()).toBe(1);
  });
});
