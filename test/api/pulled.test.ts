import { beforeAll, describe, expect, test } from 'vitest';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';
import { healthSchema } from '../../lib/schemas/health.js';
import type { Prediction } from '../../lib/schemas/prediction.js';
import { scriptedWorker } from '../support/predictions/pulling-worker.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { type Fault, startFaultProxy } from '../support/servers/fault-proxy.js';
import { motoIsAbsent } from '../support/servers/moto-server.js';
import { until } from '../support/until.js';
import { ASYNC, PROMPT } from './contract/setting.js';
import { ask, get, idOf, lambdaFixture, post, predictionOf } from './lambda-fixture.js';
import type { PulledStack } from './pulled-stack.js';

const QUOTA_0 = {
  code: 'VcpuLimitExceeded',
  message: 'You have requested more vCPU capacity than your current vCPU limit of 0 allows',
};
const body = { prompt: PROMPT };

/** However long a busy machine takes. */
async function endOf(stack: PulledStack, id: string, looks = 4): Promise<Prediction> {
  const prediction = await predictionOf(stack, id);
  return prediction.status === 'queued' && looks > 1 ? endOf(stack, id, looks - 1) : prediction;
}

describe.skipIf(motoIsAbsent())('a bad day of workers that fetch their messages', () => {
  const fixture = lambdaFixture();
  const start = async (name: string, endpoint = new ScriptedEndpoint(), maxReceiveCount = 60) => {
    const stack = await fixture.pull({ name, startWorker: scriptedWorker(endpoint), maxReceiveCount });
    await stack.listens();
    return stack;
  };

  describe('with a worker', () => {
    const endpoint = new ScriptedEndpoint();
    let stack: PulledStack;
    beforeAll(async () => {
      stack = await start('bad-day', endpoint);
    });

    test('what is delivered twice is drawn once', async () => {
      const before = endpoint.drawn;
      const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
      const message = JSON.stringify({ kind: 'predict', id });
      for (let copy = 0; copy < 5; copy++) await stack.sendToWorkers(message);
      expect(await endOf(stack, id)).toMatchObject({ status: 'succeeded' });
      await until('the workers have looked at every copy', async () => (await stack.toDraw()) === 0);
      expect(endpoint.drawn).toBe(before + 1);
    });

    test('what is sent to the wrong queue is drawn', async () => {
      const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
      await endOf(stack, id);
      const other = newPredictionId();
      const record = JSON.parse(await stack.readObject(`predictions/${id}/request.json`));
      await stack.writeObject(`predictions/${other}/request.json`, JSON.stringify({ ...record, id: other }));
      await stack.send(JSON.stringify({ kind: 'predict', id: other }));
      expect(await endOf(stack, other)).toMatchObject({ status: 'succeeded' });
    });

    test('a request that is not drawn in time for its caller is not drawn later', async () => {
      const before = endpoint.drawn;
      const id = newPredictionId();
      // As the API leaves it: cancelled, and its message in the queue.
      const accepted = await idOf(await ask(stack, post('/predict', body, ASYNC)));
      await endOf(stack, accepted);
      for (const name of ['request', 'result']) {
        const record = JSON.parse(await stack.readObject(`predictions/${accepted}/${name}.json`));
        const copy = name === 'request' ? { ...record, id } : record;
        await stack.writeObject(`predictions/${id}/${name}.json`, JSON.stringify(copy));
      }
      await stack.sendToWorkers(JSON.stringify({ kind: 'predict', id }));
      await until('the workers are done with it', async () => (await stack.toDraw()) === 0);
      expect(endpoint.drawn).toBe(before + 1);
    });

    test('an empty queue that somebody else has emptied: what was in it is drawn', async () => {
      await stack.machine.sleep();
      const responses = [1, 2, 3].map(() => ask(stack, post('/predict', body, ASYNC)));
      const ids = await Promise.all(responses.map(async (response) => idOf(await response)));
      await stack.purge();
      for (const id of ids) expect(await endOf(stack, id)).toMatchObject({ status: 'succeeded' });
    });

    test('a worker that died with a message in hand: the prediction ends all the same', async () => {
      await stack.machine.sleep();
      stack.ec2.refuse = ({ action }) =>
        action === 'StartInstances' ? { code: 'InsufficientInstanceCapacity', status: 500 } : undefined;
      const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
      // Three workers took it, and none has come back.
      for (let receives = 0; receives < 4; receives++) await stack.takeAndDrop();
      const prediction = await endOf(stack, id);
      expect(prediction).toMatchObject({ status: 'failed', error: { status: 503 } });
      stack.ec2.refuse = () => undefined;
    });
  });

  test('the phases of a wake', async () => {
    const stack = await start('phases');
    await stack.machine.sleep();
    // Moto says for ever when it was started first.
    stack.ec2.launchTime = new Date();
    const health = async () => healthSchema.parse(await (await ask(stack, get('/health'))).json());
    expect(await health()).toMatchObject({ state: 'asleep' });
    await ask(stack, post('/warmup', {}));
    const seen = new Set<string>();
    await until('it is ready', async () => {
      const { state, estimate, detail } = await health();
      if (state === 'waking') {
        expect(estimate).toBeLessThanOrEqual(60);
        seen.add(detail ?? '');
      }
      return state === 'ready';
    });
    expect([...seen]).toContain('instance');
    expect(stack.machine.starts).toBe(1);
  });

  test('a quota of 0: the prediction fails in words, at once for who waits', async () => {
    const stack = await start('quota');
    await stack.machine.sleep();
    stack.ec2.refuse = ({ action }) => (action === 'StartInstances' ? QUOTA_0 : undefined);
    const waited = await ask(stack, post('/predict', body, { prefer: 'wait=20' }));
    expect(waited.status).toBe(503);
    expect(await waited.json()).toMatchObject({ detail: expect.stringMatching(/quota/i) });
    const openai = await ask(stack, post('/v1/images/generations', body));
    expect(openai.status).toBe(503);
    const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
    const error = { status: 503, detail: expect.stringMatching(/quota/i) };
    expect(await endOf(stack, id)).toMatchObject({ status: 'failed', error });
  });

  test('an instance that was terminated by hand: the prediction fails in words', async () => {
    const stack = await start('terminated');
    await stack.machine.terminate();
    const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
    const error = { status: 503, detail: expect.stringContaining(stack.machine.id) };
    expect(await endOf(stack, id)).toMatchObject({ status: 'failed', error });
  });

  test('a store that refuses every third call: all that is accepted is drawn', async () => {
    let calls = 0;
    const fault: Fault = { kind: 'status', status: 503, code: 'SlowDown' };
    const stack = await fixture.pull({
      name: 'refusing-store',
      startWorker: scriptedWorker(),
      beforeS3: (target) =>
        startFaultProxy({
          target,
          faultFor: ({ path }) => (path.includes('/predictions/') && ++calls % 3 === 0 ? fault : undefined),
        }),
    });
    await stack.listens();
    const responses = Array.from({ length: 6 }, () => ask(stack, post('/predict', body, ASYNC)));
    const accepted = (await Promise.all(responses)).filter(({ status }) => status === 202);
    expect(accepted.length).toBeGreaterThan(0);
    for (const response of accepted) {
      const id = await idOf(response);
      await until('it is drawn', async () => {
        const answer = await ask(stack, get(`/predictions/${id}`, { prefer: 'wait=20' }));
        // Who asks is refused, too, where every try of a call was a third one.
        return answer.status === 200 && ((await answer.json()) as Prediction).status === 'succeeded';
      });
    }
  });

  test('what is no message of ours becomes a dead letter, and says nothing of itself', async () => {
    const stack = await start('poison', new ScriptedEndpoint(), 3);
    await stack.send('{"prompt":"a secret"}');
    await until('it is given up', () => stack.output().includes('a message was given up'));
    expect(stack.output()).not.toContain('a secret');
    // ... and those behind it are worked on.
    const id = await idOf(await ask(stack, post('/predict', body, ASYNC)));
    expect(await endOf(stack, id)).toMatchObject({ status: 'succeeded' });
  });
});
