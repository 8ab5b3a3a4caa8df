import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { EndpointProcess } from '../support/endpoint-process.js';
import { gateway } from '../support/gateway.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../support/moto-server.js';
import { ROOT } from '../support/reference.js';
import { contract } from './contract/contract.js';
import { MARKER, type Setting } from './contract/setting.js';
import { LambdaStack } from './lambda-stack.js';

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
  beforeAll(async () => {
    container = new EndpointProcess([process.execPath, join(ROOT, 'dist/functions/endpoint/server.js')], {
      MODEL_URI: join(ROOT, 'lib/demo-model/bundle'),
      PORT: '0',
    });
    [moto] = await Promise.all([startMotoServer(), bundleLambda(folder), container.settled()]);
  });
  afterAll(async () => {
    container.signal('SIGKILL');
    await moto?.stop();
    rmSync(folder, { recursive: true });
  });

  contract('the bundled Lambda handlers', async (): Promise<Setting> => {
    const stack = await LambdaStack.start({
      folder,
      moto: moto.url,
      container: await container.url(),
      name: 'contract',
      environments: 2,
    });
    stack.poll();
    return {
      send: gateway({
        api: stack.api,
        authorizer: (event) => stack.authorizer.invoke(event),
        keys: KEYS,
      }),
      baseUrl: 'https://abc123.execute-api.us-east-1.amazonaws.com/prod',
      credentials: { authorization: `Api-Key ${MINE}` },
      stranger: { 'x-api-key': OTHER },
      checksKeys: false,
      side: 512,
      drawn: () => stack.sagemaker.drawn,
      sleep: () => stack.sagemaker.sleep(),
      expire: async (id) => {
        const key = `predictions/${id}/request.json`;
        const record = JSON.parse(await stack.readObject(key));
        const created_at = new Date(Date.now() - DAY_MS - 1000).toISOString();
        await stack.writeObject(key, JSON.stringify({ ...record, created_at }));
      },
      output: () => `${stack.output()}\n${container.log}`,
      stop: () => stack.stop(),
    };
  });
});
