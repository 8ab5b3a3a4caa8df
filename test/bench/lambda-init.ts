// What a cold start of each Lambda function costs on this machine: the bundle's size, the time from a fresh process
// until its module is imported, and until it has answered a first event. AWS and the endpoint are stand-ins here.
//
//   node test/support/run-ts.mjs test/bench/lambda-init.ts [--runs N] [--node PROGRAM]

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toSqsEvent } from '../support/predictions/queue-poller.js';
import { scriptedContainer } from '../support/predictions/scripted-container.js';
import { LambdaProcess } from '../support/processes/lambda-process.js';
import { toEvent } from '../support/servers/gateway.js';
import { SageMakerServer } from '../support/servers/sagemaker-server.js';

const { values } = parseArgs({ options: { runs: { type: 'string' }, node: { type: 'string' } } });
const runs = Number(values.runs ?? 11);
const node = values.node ?? process.execPath;

const predict = new Request('https://service.test/prod/predict', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"prompt": "a tree"}',
});
const message = toSqsEvent({
  Body: JSON.stringify({ kind: 'predict', id: 'a'.repeat(32) }),
  Attributes: { SentTimestamp: String(Date.now()), ApproximateReceiveCount: '1' },
});
const EVENTS: Readonly<Record<string, unknown>> = {
  'an empty function': {},
  api: await toEvent(predict),
  worker: message,
  'dead-letters': message,
  authorizer: { type: 'REQUEST', methodArn: 'arn', headers: { 'x-api-key': 'key' } },
};

const folder = mkdtempSync(join(tmpdir(), 'lambda-init-'));
const sagemaker = await SageMakerServer.start({
  container: scriptedContainer,
  endpointName: 'sd-turbo',
  inferenceComponentName: 'component',
});
const empty = await startEmptyAws();
try {
  const sizes = `${execFileSync(process.execPath, ['functions/bundle-lambda.mjs', '--outdir', folder])}`;
  mkdirSync(join(folder, 'an empty function'));
  writeFileSync(join(folder, 'an empty function/index.mjs'), 'export const handler = async () => null;');
  console.log(
    `${execFileSync(node, ['--version'])}`.trim(),
    `${runs} fresh processes each: median (fastest), milliseconds`,
  );
  for (const [name, event] of Object.entries(EVENTS)) {
    const times = [];
    for (let run = 0; run < runs; run++) times.push(await measure(name, event));
    const [imported, answered] = [times.map((t) => t.imported), times.map((t) => t.answered)].map(summary);
    const bundle = sizes.split('\n').find((line) => line.startsWith(`${name}: `)) ?? name;
    console.log(`${bundle}, imported after ${imported}, answered after ${answered}`);
  }
} finally {
  await Promise.all([sagemaker.stop(), empty.stop()]);
  rmSync(folder, { recursive: true });
}

async function measure(name: string, event: unknown): Promise<{ imported: number; answered: number }> {
  const started = performance.now();
  const lambda = new LambdaProcess(join(folder, name), environment(), node);
  try {
    await lambda.imported();
    const imported = performance.now() - started;
    await lambda.invoke(event);
    return { imported, answered: performance.now() - started };
  } finally {
    await lambda.stop();
  }
}

function environment(): Record<string, string> {
  return {
    ENDPOINT_NAME: 'sd-turbo',
    INFERENCE_COMPONENT_NAME: 'component',
    RESULTS_BUCKET: 'results',
    QUEUE_URL: `${empty.url}/123456789012/queue`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: empty.url,
    AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.url,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: sagemaker.url,
  };
}

/** Knows no object: the message's prediction has been deleted. */
async function startEmptyAws(): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const server = http.createServer((request, response) => {
    request.resume();
    response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `${sorted[times.length >> 1]?.toFixed(0)} (${sorted[0]?.toFixed(0)})`;
}
