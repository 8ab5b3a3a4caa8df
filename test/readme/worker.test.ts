import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { DEMO, WorkerStack } from '../endpoint/worker/worker-stack.js';
import { theBlock } from '../support/papers.js';
import { motoClientConfig, motoIsAbsent, startMotoServer } from '../support/servers/moto-server.js';
import { putBundle } from '../support/weights/put-bundle.js';

const TIMEOUT_MS = 240_000;
const scratch = mkdtempSync(join(tmpdir(), 'readme-worker-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The `docker run` of a worker, as the endpoint's paper has it. */
function command(): { environment: Record<string, string>; passedOn: string[] } {
  const variables = [...theBlock('sh', 'docker run').matchAll(/ -e (\w+)(?:=(\S+))?/g)];
  return {
    environment: Object.fromEntries(variables.flatMap(([, name, value]) => (value ? [[name, value]] : []))),
    passedOn: variables.flatMap(([, name = '', value]) => (value ? [] : [name])),
  };
}

describe.skipIf(motoIsAbsent())("the paper's worker", () => {
  test('draws with what its command line says, and nothing else', { timeout: TIMEOUT_MS }, async () => {
    const { environment, passedOn } = command();
    const { RESULTS_BUCKET = '', MODEL_URI = '', DRAW_QUEUE_URL = '', QUEUE_URL = '' } = environment;
    const moto = await startMotoServer();
    const [bucket = '', prefix = ''] = MODEL_URI.replace('s3://', '').split('/');
    await putBundle(createS3Client(motoClientConfig(moto.url)), DEMO, bucket, prefix);
    const names = [DRAW_QUEUE_URL, QUEUE_URL].map((url) => url.split('/').at(-1) as string);
    const stack = await WorkerStack.start({ moto: moto.url, name: RESULTS_BUCKET, queues: names });
    try {
      const { id } = await stack.ask({}, { webhook: 'https://example.com/hook' });
      const here = (url: string) => url.replace('https://sqs.us-east-1.amazonaws.com', moto.url);
      expect([DRAW_QUEUE_URL, QUEUE_URL].map(here)).toEqual([stack.drawQueueUrl, stack.queueUrl]);
      expect(passedOn).toEqual(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']);
      const worker = stack.worker(
        {
          ...environment,
          DRAW_QUEUE_URL: here(DRAW_QUEUE_URL),
          QUEUE_URL: here(QUEUE_URL),
          // A file system of its own there.
          MODEL_DIRECTORY: join(scratch, 'model'),
          ...Object.fromEntries(passedOn.map((name) => [name, 'test'])),
          AWS_ENDPOINT_URL_S3: moto.url,
          AWS_ENDPOINT_URL_SQS: moto.url,
        },
        {},
      );
      expect(await stack.ended(id), worker.log).toMatchObject({ status: 'succeeded' });
      await stack.said(worker, 'message');
      expect(await stack.sent()).toEqual([{ kind: 'webhook', id, attempts: 0 }]);
    } finally {
      await stack.stop();
      await moto.stop();
    }
  });
});
