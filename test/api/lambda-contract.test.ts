import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { processWorker } from '../support/predictions/process-worker.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { pythonIsAbsent, runTrussClient } from '../support/processes/truss-client.js';
import { ROOT } from '../support/reference.js';
import { gateway } from '../support/servers/gateway.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../support/servers/moto-server.js';
import { contract } from './contract/contract.js';
import { MARKER, type Setting } from './contract/setting.js';
import type { FunctionStack } from './function-stack.js';
import { LambdaStack } from './lambda-stack.js';
import { PulledStack } from './pulled-stack.js';

const KEYS = new Map([
  [`mine-${MARKER}`, 'key-id-1'],
  [`other-${MARKER}`, 'key-id-2'],
]);
const [MINE, OTHER] = [...KEYS.keys()] as [string, string];
const DAY_MS = 86_400_000;

describe.skipIf(motoIsAbsent())('in AWS, as far as that can be had here', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-contract-'));
  let moto: MotoServer;
  let container: EndpointProcess;
  const stacks: FunctionStack[] = [];
  let send: Setting['send'];
  beforeAll(async () => {
    container = new EndpointProcess([process.execPath, join(ROOT, 'dist/functions/endpoint/server.js')], {
      MODEL_URI: join(ROOT, 'lib/demo-model/bundle'),
      PORT: '0',
    });
    [moto] = await Promise.all([startMotoServer(), bundleLambda(folder), container.settled()]);
  });
  afterAll(async () => {
    await Promise.all(stacks.map((stack) => stack.stop()));
    container.signal('SIGKILL');
    await moto?.stop();
    rmSync(folder, { recursive: true });
  });

  contract('the bundled Lambda handlers', async (): Promise<Setting> => {
    const stack = await LambdaStack.start({
      folder,
      moto: moto.url,
      container: container.forward,
      name: 'contract',
      // Longer than a request that finds it asleep takes on a machine with much else to do.
      wakeMs: 2_000,
    });
    stack.poll();
    const setting = settingOf(stack);
    // The client below needs it.
    send = setting.send;
    return {
      ...setting,
      side: 512,
      drawn: () => stack.sagemaker.drawn,
      sleep: () => stack.sagemaker.sleep(),
      output: () => `${stack.output()}\n${container.log}`,
    };
  });

  contract(
    'the bundled Lambda handlers, and a worker that fetches its messages',
    async (): Promise<Setting> => {
      const stack = await PulledStack.start({
        folder,
        moto: moto.url,
        name: 'pulled-contract',
        startWorker: processWorker,
      });
      await stack.listens();
      return {
        ...settingOf(stack),
        side: 512,
        drawn: () => stack.output().match(/"message":"invocation",[^\n]*"status":200/g)?.length ?? 0,
        sleep: () => stack.machine.sleep(),
        waitsForWakes: true,
        output: () => stack.output(),
      };
    },
  );

  function settingOf(stack: FunctionStack) {
    stacks.push(stack);
    return {
      send: gateway({ api: stack.api, authorizer: (event) => stack.authorizer.invoke(event), keys: KEYS }),
      baseUrl: 'https://abc123.execute-api.us-east-1.amazonaws.com/prod',
      credentials: { authorization: `Api-Key ${MINE}` },
      stranger: { 'x-api-key': OTHER },
      checksKeys: false,
      expire: (id: string) => stack.age(id, DAY_MS + 1000),
      stop: async () => undefined,
    };
  }

  test.skipIf(pythonIsAbsent())("the Truss example's own client works", async () => {
    const server = createAdaptorServer({ fetch: send });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const file = join(folder, 'truss.png');
    await runTrussClient(`http://127.0.0.1:${port}/prod`, MINE, file);
    expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 512, height: 512 });
    await new Promise((resolve) => server.close(resolve));
  });
});
