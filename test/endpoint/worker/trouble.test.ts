import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DrawQueue } from '../../../functions/endpoint/worker/draw-queue.js';
import {
  type Fault,
  type FaultProxy,
  type ProxiedRequest,
  startFaultProxy,
} from '../../support/servers/fault-proxy.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../../support/servers/moto-server.js';
import { until } from '../../support/until.js';
import { WorkerStack } from './worker-stack.js';

/** Each test starts a process, on machines that may have other things to do. */
const TIMEOUT_MS = 240_000;
const REFUSED = { kind: 'status', status: 503, code: 'SlowDown' } as const;

const operation = ({ headers }: ProxiedRequest) => String(headers['x-amz-target'] ?? '');

describe.skipIf(motoIsAbsent())('a worker on a bad day', { timeout: TIMEOUT_MS }, () => {
  let moto: MotoServer;
  let proxy: FaultProxy;
  let stack: WorkerStack;
  let faultFor: (request: ProxiedRequest) => Fault | undefined;
  let count = 0;
  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startFaultProxy({ target: moto.url, faultFor: (request) => faultFor(request) });
  });
  beforeEach(async () => {
    faultFor = () => undefined;
    stack = await WorkerStack.start({ moto: moto.url, name: `trouble-${count++}` });
  });
  afterEach(() => stack.stop());
  afterAll(async () => {
    await proxy.stop();
    await moto.stop();
  });

  /** The SDK goes where the queue's own URL says. */
  const drawQueueUrl = () => stack.drawQueueUrl.replace(moto.url, proxy.url);
  const start = (settings: Record<string, string> = {}) =>
    stack.worker({ AWS_ENDPOINT_URL_S3: proxy.url, DRAW_QUEUE_URL: drawQueueUrl(), ...settings });
  const times = (needle: string, { log }: { readonly log: string }) => log.split(needle).length - 1;

  test('S3 refuses results for longer than a message stays hidden: nobody else gets it, and it is drawn in the end', async () => {
    let isRefusing = true;
    let beats = 0;
    faultFor = (request) => {
      if (operation(request) === 'AmazonSQS.ChangeMessageVisibility') beats++;
      return isRefusing && /\/result\.json$/.test(request.path) ? REFUSED : undefined;
    };
    const { id } = await stack.ask();
    const worker = start({ VISIBILITY_SECONDS: '12' });
    await stack.said(worker, 'a message is worked on again');
    const seen: string[] = [];
    // One each 4 s: without the first four the message would be visible again.
    await until(
      'there are signs of life',
      async () => {
        seen.push(...(await stack.receive()));
        return beats >= 4;
      },
      TIMEOUT_MS,
    );
    isRefusing = false;
    await stack.ended(id);
    await stack.said(worker, 'message');
    expect(seen).toEqual([]);
    expect(worker.log).toMatch(/"message":"message","message_id":"[^"]+","receives":1/);
    expect(worker.log).not.toContain('a tree');
  });

  test('SQS refuses for a while: it is asked again, and nothing is lost', async () => {
    let refusals = 4;
    faultFor = (request) => (operation(request) !== '' && refusals-- > 0 ? REFUSED : undefined);
    const { id } = await stack.ask();
    const worker = start();
    await stack.ended(id);
    expect(times('the queue is asked again', worker)).toBe(4);
  });

  test('worker.json cannot be written: that keeps nobody from drawing', async () => {
    faultFor = ({ path }) => (path.endsWith('/worker.json') ? REFUSED : undefined);
    const { id } = await stack.ask();
    const worker = start();
    await stack.ended(id);
    expect(worker.log).toContain('worker.json could not be written');
  });

  test('a message that comes while it falls asleep is drawn, and worker.json says so', async () => {
    const late = await stack.ask();
    const [body = ''] = await stack.receive();
    await stack.purge();
    let isLate = true;
    faultFor = ({ method, path, headers }) => {
      if (isLate && method === 'PUT' && path.endsWith('/worker.json') && headers['if-match'] !== undefined) {
        isLate = false;
        void stack.send(body);
      }
      return undefined;
    };
    const worker = start({ IDLE_SECONDS: '1' });
    expect(await worker.exited(), worker.log).toBe(0);
    await stack.ended(late.id);
    const phases = (await stack.states())
      .map(({ phase }) => phase)
      .filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases.slice(-4)).toEqual(['ready', 'stopping', 'ready', 'stopping']);
  });

  test('a queue that keeps silent is given up, asked again, and answers', async () => {
    let isSilent = true;
    faultFor = () => (isSilent ? { kind: 'hang' } : undefined);
    const client = new SQSClient({
      endpoint: proxy.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: { requestTimeout: 2_000, throwOnRequestTimeout: true },
    });
    const queue = new DrawQueue({ client, url: drawQueueUrl(), visibilitySeconds: 3 });
    await stack.send('a message');
    await expect(queue.receive(0)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    isSilent = false;
    await until('it answers', async () => {
      const delivery = await queue.receive(0).catch(() => undefined);
      if (!delivery) return false;
      expect(delivery.body).toBe('a message');
      expect(delivery.receives).toBeGreaterThan(0);
      expect(Math.abs(Date.now() - delivery.sentAt)).toBeLessThan(TIMEOUT_MS);
      await until('it is done', () =>
        queue
          .done(delivery)
          .then(() => true)
          .catch(() => false),
      );
      return true;
    });
    expect(await stack.counts()).toEqual({ waiting: 0, held: 0, dead: 0 });
    client.destroy();
  });

  test('what SQS no longer knows of a message is not asked again', async () => {
    const client = new SQSClient({
      endpoint: moto.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const queue = new DrawQueue({ client, url: stack.drawQueueUrl, visibilitySeconds: 3 });
    await stack.send('a message');
    const delivery = await queue.receive(1);
    if (!delivery) throw new Error('there is a message');
    await queue.done(delivery);
    await expect(queue.again(delivery, 5)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: false });
    client.destroy();
  });
});
