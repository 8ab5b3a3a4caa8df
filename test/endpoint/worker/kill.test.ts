import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { EndpointProcess } from '../../support/processes/endpoint-process.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../support/servers/moto-server.js';
import { Random } from '../../support/simulation/random.js';
import { until } from '../../support/until.js';
import { putBundle } from '../../support/weights/put-bundle.js';
import { DEMO, SERVER, WorkerStack } from './worker-stack.js';

const SEED = 20261129;
const KILLS = 20;
/** Twenty starts, on machines that may have other things to do. */
const TIMEOUT_MS = 1_200_000;
/** After each of these lines of its log, and a while by chance, a worker is killed: the last two come while it draws. */
const MOMENTS = ['', 'model downloading', 'model loading', 'model warming', 'model ready', 'message'];
/** Of the while. Milliseconds. */
const LONGEST_WHILE = 400;

const scratch = mkdtempSync(join(tmpdir(), 'worker-kill-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe.skipIf(motoIsAbsent())('workers that are killed', () => {
  let moto: MotoServer;
  let stack: WorkerStack;
  beforeAll(async () => {
    moto = await startMotoServer();
    await putBundle(createS3Client(motoClientConfig(moto.url)), DEMO, 'weights', 'demo');
    stack = await WorkerStack.start({ moto: moto.url, name: 'killed' });
  });
  afterAll(async () => {
    await stack.stop();
    await moto.stop();
  });

  test(`${KILLS} times at random, seed ${SEED}: every picture is there in the end, once, and the right one`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const random = new Random(SEED);
    const asked: Awaited<ReturnType<WorkerStack['ask']>>[] = [];
    const start = () =>
      stack.worker({ MODEL_URI: 's3://weights/demo', MODEL_DIRECTORY: join(scratch, 'model') });
    for (let kill = 0; kill < KILLS; kill++) {
      asked.push(await stack.ask({ seed: kill, num_images: 1 + (kill % 2) }));
      // From time to time the weights are gone, too: they lie in memory.
      if (kill % 5 === 0) rmSync(join(scratch, 'model'), { recursive: true, force: true });
      const worker = start();
      const moment = MOMENTS[kill % MOMENTS.length] as string;
      if (moment) await stack.said(worker, moment);
      await pause(random.between(0, LONGEST_WHILE));
      worker.signal('SIGKILL');
      await worker.exited();
    }
    const last = start();
    await stack.said(last, 'model ready');
    const results = new Map<string, unknown>();
    for (const { id } of asked) results.set(id, await stack.ended(id));
    await until('the queue is empty', async () => {
      const { waiting, held } = await stack.counts();
      return waiting + held === 0;
    });
    expect((await stack.counts()).dead).toBe(0);
    // Among the states that those who died have left behind, none claims what is not so.
    expect((await stack.states()).at(-1)).toMatchObject({ phase: 'ready' });
    last.signal('SIGTERM');
    expect(await last.exited()).toBe(0);
    const settings = { MODEL_URI: DEMO, PORT: '0', DEADLINE_SECONDS: '600' };
    const server = new EndpointProcess([process.execPath, SERVER], settings);
    await server.settled();
    for (const { id, request } of asked) {
      const answer = await (await server.draw(request)).json();
      expect(results.get(id), `seed ${SEED}`).toMatchObject({ status: 'succeeded', answer });
      // Asked again: a second version would be an error.
      await stack.result(id);
    }
    server.signal('SIGKILL');
  });
});
