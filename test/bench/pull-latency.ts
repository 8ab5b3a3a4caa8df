// What the queue and the store add to a warm picture, beside one that is pushed: the bundled API function before moto's S3
// and SQS, with a worker that fetches its messages, and before the stand-in for SageMaker. Both draw for 150 ms. They take
// turns, so that the machine's other work falls on both. Nobody else asks moto for anything meanwhile.
//
// What is added is a chain of six calls, whatever else is asked beside them: PUT request.json, SendMessage, the end of the worker's
// ReceiveMessage, GET request.json and result.json at once, PUT result.json, and the GET that finds it, up to 20 ms or a tenth
// of the time so far later. Moto takes longer for each where the machine is busy, so a bare GET is timed beside them. Of S3
// AWS says that small requests have median latencies "often in the tens of milliseconds" (whitepaper "Best Practices Design
// Patterns: Optimizing Amazon S3 Performance", timeouts and retries).
//
//   node test/support/run-ts.mjs test/bench/pull-latency.ts [REQUESTS]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WORKER_STATE_KEY } from '../../lib/schemas/worker-state.js';
import type { FunctionStack } from '../api/function-stack.js';
import { LambdaStack } from '../api/lambda-stack.js';
import { PulledStack } from '../api/pulled-stack.js';
import { scriptedWorker } from '../support/predictions/pulling-worker.js';
import { scriptedContainer } from '../support/predictions/scripted-container.js';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { toEvent } from '../support/servers/gateway.js';
import { startMotoServer } from '../support/servers/moto-server.js';

/** Of a step and the VAE on a T4, about. Milliseconds. */
const DRAW_MS = 150;
const WARM_UP = 5;

/** Draws as fast as a T4, whatever this machine is. */
class PacedEndpoint extends ScriptedEndpoint {
  override async invoke(...call: Parameters<ScriptedEndpoint['invoke']>) {
    const [answer] = await Promise.all([super.invoke(...call), pause(DRAW_MS)]);
    return answer;
  }
}

async function pacedContainer(request: Request): Promise<Response> {
  const [response] = await Promise.all([scriptedContainer(request), pause(DRAW_MS)]);
  return response;
}

/** @returns milliseconds */
async function measure(stack: FunctionStack): Promise<number> {
  const request = new Request('https://abc123.execute-api.us-east-1.amazonaws.com/prod/predict', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a tree in a field' }),
  });
  const event = await toEvent(request);
  event.requestContext.identity.apiKeyId = 'key-id-1';
  const begun = performance.now();
  const { statusCode } = await stack.api(event);
  if (statusCode !== 200) throw new Error(`POST /predict: ${statusCode}`);
  return performance.now() - begun;
}

/** @returns how long moto takes for a small object. Milliseconds */
async function measureGet(stack: FunctionStack): Promise<number> {
  const begun = performance.now();
  await stack.readObject(WORKER_STATE_KEY);
  return performance.now() - begun;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
}

const requests = Number(process.argv[2] ?? 100);
const folder = mkdtempSync(join(tmpdir(), 'pull-latency-'));
// A script of its own: this one is bundled elsewhere.
execFileSync(process.execPath, ['functions/bundle-lambda.mjs', '--outdir', folder]);
const moto = await startMotoServer();
const common = { folder, moto: moto.url };
const push = await LambdaStack.start({ ...common, name: 'push', container: pacedContainer });
const startWorker = scriptedWorker(new PacedEndpoint());
const pull = await PulledStack.start({ ...common, name: 'pull', startWorker, isBare: true });
await pull.listens();

const took: Record<'push' | 'pull' | 'one GET', number[]> = { push: [], pull: [], 'one GET': [] };
for (let turn = -WARM_UP; turn < requests; turn++) {
  const pushed = await measure(push);
  const pulled = await measure(pull);
  const got = await measureGet(pull);
  if (turn < 0) continue;
  took.push.push(pushed);
  took.pull.push(pulled);
  took['one GET'].push(got);
}
for (const [name, values] of Object.entries(took)) {
  const [median, p95] = [quantile(values, 0.5), quantile(values, 0.95)];
  console.log(`${name}: median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ${values.length} times`);
}
const added = took.pull.map((milliseconds, turn) => milliseconds - (took.push[turn] ?? Number.NaN));
console.log(
  `added: median ${quantile(added, 0.5).toFixed(0)} ms, p95 ${quantile(added, 0.95).toFixed(0)} ms, goal 150 ms at the median`,
);
await Promise.all([push.stop(), pull.stop()]);
await moto.stop();
rmSync(folder, { recursive: true });
