import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsServices, awsServices } from '../../../../functions/shared/aws/aws-services.js';
import { readFunctionConfig } from '../../../../functions/shared/aws/config.js';
import { S3Records } from '../../../../functions/shared/aws/s3/s3-records.js';
import { predict } from '../../../../lib/predictions/predict.js';
import { WORKER_FRESH_MS, WORKER_STATE_KEY, type WorkerPhase } from '../../../../lib/schemas/worker-state.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../../support/servers/moto-server.js';
import { SILENT } from '../../../support/simulation/workers.js';

const BUCKET = 'hired';

/** The settings of a function whose workers somebody else runs, and what it makes of them. */
describe.skipIf(motoIsAbsent())('BACKEND=queue', () => {
  let moto: MotoServer;
  let records: S3Records;
  let sqs: SQSClient;
  let services: AwsServices;
  let drawQueueUrl: string;
  let queueUrl: string;
  const before = { ...process.env };

  beforeAll(async () => {
    moto = await startMotoServer();
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: moto.url,
    });
    const s3 = new S3Client({ ...motoClientConfig(moto.url), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    records = new S3Records(s3, BUCKET);
    sqs = new SQSClient(motoClientConfig(moto.url));
    const create = async (QueueName: string) =>
      (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl as string;
    [drawQueueUrl, queueUrl] = [await create('draws'), await create('others')];
    const settings = { RESULTS_BUCKET: BUCKET, QUEUE_URL: queueUrl, DRAW_QUEUE_URL: drawQueueUrl };
    services = await awsServices(readFunctionConfig({ BACKEND: 'queue', ...settings }), SILENT);
  });
  afterAll(async () => {
    process.env = before;
    await moto.stop();
  });

  /** A worker's word, of so many milliseconds ago. */
  const say = (phase: WorkerPhase, age = 0, more: object = {}) =>
    records.write(WORKER_STATE_KEY, {
      worker: 'a desk',
      phase,
      updated_at: new Date(Date.now() - age).toISOString(),
      started_at: new Date(Date.now() - age).toISOString(),
      bytes_done: 1,
      bytes_total: 4,
      seconds: {},
      model: 'a-model',
      ...more,
    });
  const listens = () => services.pulled?.endpoint.listens();
  const health = () => services.waker.health();

  test('nobody has ever said anything: asleep', async () => {
    expect([await listens(), await health()]).toEqual([false, { state: 'asleep' }]);
  });

  test.each<[WorkerPhase, object, object]>([
    ['starting', {}, { state: 'waking', detail: 'container' }],
    ['downloading', {}, { state: 'waking', detail: 'weights 25 %', model: 'a-model' }],
    ['loading', {}, { state: 'waking', detail: 'sessions', model: 'a-model' }],
    ['warming', {}, { state: 'waking', detail: 'warm-up', model: 'a-model' }],
    ['ready', {}, { state: 'ready', model: 'a-model' }],
    ['stopping', {}, { state: 'asleep' }],
    ['failed', { error: 'no GPU' }, { state: 'failed', detail: 'no GPU' }],
    ['failed', {}, { state: 'failed', detail: expect.stringContaining('its log') }],
  ])('a worker is %s', async (phase, more, state) => {
    await say(phase, 0, more);
    expect([await listens(), await health()]).toEqual([phase === 'ready', state]);
  });

  test.each(['ready', 'loading', 'failed'] as const)('what was %s a while ago is gone', async (phase) => {
    await say(phase, WORKER_FRESH_MS + 1000);
    expect([await listens(), await health()]).toEqual([false, { state: 'asleep' }]);
  });

  describe('a request', () => {
    beforeEach(() => say('stopping'));

    test('waits in the queue of the workers, and somebody watches over it; waking is for others', async () => {
      const props = { caller: 'me', requestId: 'request-1', waitMs: 0, signal: new AbortController().signal };
      const request = {
        prompt: 'a tree',
        num_steps: 1,
        num_images: 1,
        output_format: 'png',
        decoder: 'vae',
      } as const;
      const outcome = await predict({ ...props, request }, services);
      expect(outcome).toMatchObject({ kind: 'accepted' });
      const { id } = outcome as { id: string };
      expect(await services.pulled?.backlog()).toBe(1);
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: drawQueueUrl }));
      expect(JSON.parse(Messages[0]?.Body ?? '')).toEqual({ kind: 'predict', id, failures: 0 });
      expect(await services.store.readRequest(id)).toMatchObject({ id, request: { prompt: 'a tree' } });
      // Whoever runs workers starts one when messages wait: `/health` tells of the wait.
      expect(await health()).toMatchObject({ state: 'waking' });
    });
  });
});
