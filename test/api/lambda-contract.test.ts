import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { pythonIsAbsent, runTrussClient } from '../support/processes/truss-client.js';
import { ROOT } from '../support/reference.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../support/servers/moto-server.js';
import { contract } from './contract/contract.js';
import type { Setting } from './contract/setting.js';
import { gatewaySetting, MINE } from './gateway-setting.js';
import { LambdaStack } from './lambda-stack.js';

describe.skipIf(motoIsAbsent())('in AWS, as far as that can be had here', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-contract-'));
  let moto: MotoServer;
  let container: EndpointProcess;
  let stack: LambdaStack;
  let send: Setting['send'];
  beforeAll(async () => {
    container = new EndpointProcess([process.execPath, join(ROOT, 'dist/functions/endpoint/server.js')], {
      MODEL_URI: join(ROOT, 'lib/demo-model/bundle'),
      PORT: '0',
    });
    [moto] = await Promise.all([startMotoServer(), bundleLambda(folder), container.settled()]);
  });
  afterAll(async () => {
    await stack?.stop();
    container.signal('SIGKILL');
    await moto?.stop();
    rmSync(folder, { recursive: true });
  });

  contract('the bundled Lambda handlers', async (): Promise<Setting> => {
    stack = await LambdaStack.start({
      folder,
      moto: moto.url,
      container: container.forward,
      name: 'contract',
      // Longer than a request that finds it asleep takes on a machine with much else to do.
      wakeMs: 2_000,
    });
    stack.poll();
    const setting = gatewaySetting(stack);
    send = setting.send;
    return {
      ...setting,
      // The client below needs it still.
      stop: async () => undefined,
      side: 512,
      drawn: () => stack.sagemaker.drawn,
      sleep: () => stack.sagemaker.sleep(),
      output: () => `${stack.output()}\n${container.log}`,
    };
  });

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
