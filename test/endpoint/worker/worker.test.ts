import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WORKER_PHASES } from '../../../lib/schemas/worker-state.js';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { EndpointProcess } from '../../support/processes/endpoint-process.js';
import { ROOT } from '../../support/reference.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../support/servers/moto-server.js';
import { until } from '../../support/until.js';
import { putBundle } from '../../support/weights/put-bundle.js';
import { DEMO, SERVER, WorkerStack } from './worker-stack.js';

/** Each test starts some processes, on machines that may have other things to do. */
const TIMEOUT_MS = 240_000;
const SECRET = 'xylophone7731';
const scratch = mkdtempSync(join(tmpdir(), 'worker-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe.skipIf(motoIsAbsent())(
  'the worker, a process between moto and the demo model',
  { timeout: TIMEOUT_MS },
  () => {
    let moto: MotoServer;
    let stack: WorkerStack;
    let count = 0;
    beforeAll(async () => {
      moto = await startMotoServer();
      await putBundle(createS3Client(motoClientConfig(moto.url)), DEMO, 'weights', 'demo');
    });
    beforeEach(async () => {
      stack = await WorkerStack.start({ moto: moto.url, name: `stack-${count++}`, maxReceiveCount: 3 });
    });
    afterEach(() => stack.stop());
    afterAll(() => moto.stop());

    const isEmpty = () =>
      until('the queue is empty', async () => {
        const { waiting, held } = await stack.counts();
        return waiting + held === 0;
      });

    test('from an empty disk to a picture as the server draws it; says in order what it is at; sleeps when idle', async () => {
      const booted = new Date(Date.now() - 5000).toISOString();
      const { id, request } = await stack.ask(
        { prompt: `a tree and a ${SECRET}`, seed: 5, num_steps: 2 },
        { webhook: 'https://example.com/hook' },
      );
      const worker = stack.worker({
        MODEL_URI: 's3://weights/demo',
        MODEL_DIRECTORY: join(scratch, 'model'),
        IDLE_SECONDS: '2',
        BOOTED_AT: booted,
        POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
        POWERTOOLS_SERVICE_NAME: 'test',
      });
      const result = await stack.ended(id);
      expect(await worker.exited(), worker.log).toBe(0);

      const server = new EndpointProcess([process.execPath, SERVER], {
        MODEL_URI: DEMO,
        PORT: '0',
        DEADLINE_SECONDS: '200',
      });
      await server.settled();
      const drawn = await (await server.draw(request)).json();
      server.signal('SIGKILL');
      expect(result).toMatchObject({ status: 'succeeded', answer: drawn });
      expect(Object.keys((result as { timings: object }).timings)).toContain('unet');

      expect(await stack.counts()).toEqual({ waiting: 0, held: 0, dead: 0 });
      expect(await stack.sent()).toEqual([{ kind: 'webhook', id, attempts: 0 }]);
      const states = await stack.states();
      const phases = states.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
      expect(phases).toEqual(WORKER_PHASES.filter((phase) => phase !== 'failed'));
      const last = states.at(-1);
      expect(last).toMatchObject({ worker: 'worker-1', booted_at: booted, model: 'sd-turbo-demo' });
      expect(last?.bytes_done).toBe(last?.bytes_total);
      expect(Object.keys(last?.seconds ?? {})).toEqual(['starting', 'downloading', 'loading', 'warming']);
      expect(worker.log).not.toContain(SECRET);
      for (const metric of ['QueueAgeSeconds', 'UnetMs', 'Predictions'])
        expect(worker.log).toMatch(new RegExp(`"_aws".*"Name":"${metric}"`));
    });

    test('a request that the model refuses ends in a result that says so', async () => {
      const { id } = await stack.ask({ image: 'AAAA', strength: 1 });
      stack.worker();
      expect(await stack.ended(id)).toMatchObject({ status: 'failed', error: { status: 400 } });
      await isEmpty();
    });

    test('two workers share one queue: each picture is drawn once, by one of them', async () => {
      const workers = ['worker-1', 'worker-2'].map((WORKER_NAME) =>
        stack.worker({ WORKER_NAME, VISIBILITY_SECONDS: '60' }),
      );
      for (const worker of workers) await stack.said(worker, 'model ready');
      const drawnBy = ({ log }: EndpointProcess) => log.match(/"message":"message"/g)?.length ?? 0;
      const asked: { readonly id: string }[] = [];
      await until('both have drawn', async () => {
        const pair = [await stack.ask({ seed: asked.length }), await stack.ask({ seed: asked.length + 1 })];
        for (const { id } of pair) await stack.ended(id);
        asked.push(...pair);
        return workers.every((worker) => drawnBy(worker) > 0);
      });
      await isEmpty();
      expect(workers.reduce((sum, worker) => sum + drawnBy(worker), 0)).toBe(asked.length);
    });

    test('a message that comes twice is drawn once; one in the wrong queue is sent on, what is not ours given up', async () => {
      const { id } = await stack.ask();
      await stack.send(JSON.stringify({ kind: 'predict', id }));
      await stack.send('{"kind": "sculpture"}');
      const worker = stack.worker();
      await stack.ended(id);
      await stack.send(JSON.stringify({ kind: 'webhook', id }));
      await isEmpty();
      expect(worker.log.match(/"message":"invocation"/g)).toHaveLength(1);
      expect((await stack.counts()).dead).toBe(1);
      expect(await stack.sent()).toEqual([{ kind: 'webhook', id, attempts: 0 }]);
    });

    test('a worker that is frozen ends, and another draws what it has not', async () => {
      const frozen = stack.worker({ SILENCE_SECONDS: '20' });
      await stack.said(frozen, 'model ready');
      for (const child of frozen.children()) process.kill(child, 'SIGSTOP');
      const { id } = await stack.ask();
      expect(await frozen.exited()).toBe(1);
      expect(frozen.log).toContain('the worker hangs, and is ended');
      stack.worker();
      expect(await stack.ended(id)).toMatchObject({ status: 'succeeded' });
    });

    test('a worker whose session thread ends does not go on listening, and says why', async () => {
      const THREADS_END = join(scratch, 'end-threads');
      const preload = join(ROOT, 'test/support/processes/end-threads.mjs');
      const worker = stack.worker({ NODE_OPTIONS: `--import=${preload}`, THREADS_END });
      await stack.said(worker, 'model ready');
      writeFileSync(THREADS_END, '');
      expect(await worker.exited()).toBe(1);
      expect((await stack.states()).at(-1)).toMatchObject({
        phase: 'failed',
        error: 'the session thread has ended',
      });
    });

    test('a message whose workers die is given up after three of them', async () => {
      const { id } = await stack.ask();
      for (let death = 0; death < 3; death++) {
        // Nothing is stored, so that the message is held until the end comes.
        const worker = stack.worker({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' });
        await stack.said(worker, 'a message is worked on again');
        worker.signal('SIGKILL');
        await worker.exited();
      }
      const other = await stack.ask();
      stack.worker();
      expect(await stack.ended(other.id)).toMatchObject({ status: 'succeeded' });
      await isEmpty();
      expect((await stack.counts()).dead).toBe(1);
      expect(await stack.result(id)).toBeUndefined();
    });

    test('SIGTERM: the picture under way is finished, the next one is left to others', async () => {
      const worker = stack.worker();
      await stack.said(worker, 'model ready');
      const asked = [];
      for (let seed = 0; seed < 4; seed++) asked.push(await stack.ask({ seed, num_images: 4 }));
      await until('one is being drawn', async () => (await stack.counts()).held > 0);
      worker.signal('SIGTERM');
      expect(await worker.exited()).toBe(0);
      const { waiting, held } = await stack.counts();
      expect(held).toBe(0);
      const results = await Promise.all(asked.map(({ id }) => stack.result(id)));
      expect(results.filter((result) => result !== undefined)).toHaveLength(asked.length - waiting);
      expect(waiting).toBeGreaterThan(0);
      expect((await stack.states()).at(-1)).toMatchObject({ phase: 'stopping' });
    });

    test('SIGTERM while it waits for a message: what its last poll brings is not kept from others', async () => {
      const worker = stack.worker();
      await stack.said(worker, 'model ready');
      worker.signal('SIGTERM');
      await stack.said(worker, 'stopping');
      const { id } = await stack.ask();
      expect(await worker.exited()).toBe(0);
      // Drawn, or still there for whoever comes next: never hidden by a poll that nobody has waited for.
      const result = await stack.result(id);
      if (result) expect(result).toMatchObject({ status: 'succeeded' });
      else expect(await stack.receive()).toEqual([expect.stringContaining(id)]);
      expect((await stack.states()).at(-1)).toMatchObject({ phase: 'stopping' });
    });

    test('SIGTERM while the model loads: exits with 0', async () => {
      const worker = stack.worker({ MODEL_URI: 's3://weights/demo', MODEL_DIRECTORY: join(scratch, 'none') });
      await stack.said(worker, 'model downloading');
      worker.signal('SIGTERM');
      expect(await worker.exited()).toBe(0);
      expect((await stack.states()).at(-1)).toMatchObject({ phase: 'stopping' });
    });

    test('what can never be loaded is said in worker.json, and the process exits with 1', async () => {
      const { id } = await stack.ask();
      const worker = stack.worker({
        MODEL_URI: 's3://weights/other',
        MODEL_DIRECTORY: join(scratch, 'other'),
      });
      expect(await worker.exited()).toBe(1);
      const last = (await stack.states()).at(-1);
      expect(last).toMatchObject({ phase: 'failed' });
      expect(last?.error).toContain('s3://weights/other/manifest.json');
      expect(await stack.receive()).toEqual([expect.stringContaining(id)]);
    });

    test.each([
      ['RESULTS_BUCKET', '', /RESULTS_BUCKET is malformed/],
      ['DRAW_QUEUE_URL', 'predictions', /DRAW_QUEUE_URL is malformed/],
      ['BOOTED_AT', 'yesterday', /BOOTED_AT is malformed/],
      ['IDLE_SECONDS', 'few', /IDLE_SECONDS is malformed/],
    ])('%s=%s is refused by name', async (name, value, message) => {
      const worker = stack.worker({ [name]: value });
      expect(await worker.exited()).toBe(1);
      expect(worker.log).toMatch(message);
    });
  },
);
