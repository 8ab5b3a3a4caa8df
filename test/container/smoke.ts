/**
 * Starts the container image as SageMaker would, on a machine without a GPU: the demo bundle in moto's S3, the CPU
 * provider; pings it until it is ready, has it draw, and stops it by SIGTERM. Then as a worker, which draws what moto's SQS
 * has and ends by itself. As root, after build-image.sh.
 *
 *   node test/support/run-ts.mjs test/container/smoke.ts [TAG]
 */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { WorkerStack } from '../endpoint/worker/worker-stack.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { motoClientConfig, startMotoServer } from '../support/servers/moto-server.js';
import { putBundle } from '../support/weights/put-bundle.js';

const tag = process.argv[2] ?? 'sd-turbo-endpoint';
const moto = await startMotoServer();
await putBundle(createS3Client(motoClientConfig(moto.url)), 'lib/demo-model/bundle', 'weights', 'demo');
const environment = {
  MODEL_URI: 's3://weights/demo',
  PROVIDER: 'cpu',
  AWS_ENDPOINT_URL_S3: moto.url,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

function start(mode: string, environment: Readonly<Record<string, string>>): EndpointProcess {
  const settings = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  return new EndpointProcess([process.execPath, 'test/container/run-image.mjs', ...settings, tag, mode], {});
}

async function work(): Promise<void> {
  const stack = await WorkerStack.start({ moto: moto.url, name: 'smoke' });
  const { id } = await stack.ask();
  const worker = start('worker', { ...stack.environment(), ...environment, IDLE_SECONDS: '1' });
  assert.equal(await worker.exited(), 0, worker.log);
  assert.equal((await stack.result(id))?.status, 'succeeded', worker.log);
  await stack.stop();
  console.log(`${tag}: drew for a queue, ended with 0`);
}

const endpoint = start('serve', environment);
try {
  assert.equal(await endpoint.url(), 'http://127.0.0.1:8080');
  const status = await endpoint.settled();
  assert.equal(status.state, 'ready', endpoint.log);
  const response = await endpoint.draw({ prompt: 'A tree in a field under the night sky', seed: 1 });
  assert.equal(response.status, 200);
  const { result } = generateAnswerSchema.parse(await response.json());
  const { width, height } = await sharp(Buffer.from(result, 'base64')).metadata();
  assert.deepEqual([width, height], [512, 512]);
  endpoint.signal('SIGTERM');
  assert.equal(await endpoint.exited(), 0);
  console.log(
    `${tag}: ready after ${JSON.stringify(status.seconds)} s, drew ${width} x ${height}, stopped with 0`,
  );
  await work();
} catch (error) {
  console.error(endpoint.log);
  throw error;
} finally {
  endpoint.signal('SIGTERM');
  await moto.stop();
}
