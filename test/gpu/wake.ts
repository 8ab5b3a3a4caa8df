/**
 * The phases of a wake, from the start of the container's process in worker mode to its first pictures, and how long a warm one
 * takes from its message to its result. Weights come over a socket of this machine, into memory: S3's own speed is not in it.
 *
 *   npm run build   # and from the repository's root:
 *   node test/support/run-ts.mjs test/gpu/wake.ts --model DIR [--provider cuda|cpu] [--memory DIR] [--pictures N] [--server FILE]
 *
 * --model is a bundle, test/gpu/run.ts leaves one in WORK/cuda; --server a bundled server.mjs, else the one in `dist`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type WorkerState, workerStateSchema } from '../../lib/schemas/worker-state.js';
import { markdownTable } from '../bench/markdown-table.js';
import { median } from '../bench/take-turns.js';
import { requestRecord } from '../support/predictions/prediction-records.js';
import { startMemoryAws } from '../support/servers/memory-aws.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'lib/demo-model/bundle' },
    provider: { type: 'string', default: 'cuda' },
    memory: { type: 'string', default: '/dev/shm' },
    pictures: { type: 'string', default: '10' },
    server: { type: 'string', default: 'dist/functions/endpoint/server.js' },
  },
});

const folder = mkdtempSync(join(options.memory, 'sd-turbo-wake-'));
const aws = await startMemoryAws(resolve(options.model));
const states: WorkerState[] = [];
const waiting = new Map<string, () => void>();
aws.onPut = (path, body) => {
  if (path === '/results/worker.json') states.push(workerStateSchema.parse(JSON.parse(body)));
  else waiting.get(path)?.();
};

/** @returns seconds from the message to the result */
async function draw(seed: number): Promise<number> {
  const base = requestRecord({ created_at: new Date().toISOString() });
  const { id } = base;
  const written = new Promise<void>((done) => waiting.set(`/results/predictions/${id}/result.json`, done));
  aws.put(
    `/results/predictions/${id}/request.json`,
    JSON.stringify({ ...base, request: { ...base.request, seed } }),
  );
  const sent = performance.now();
  aws.send(JSON.stringify({ kind: 'predict', id }));
  await Promise.race([written, ended]);
  return (performance.now() - sent) / 1000;
}

const started = performance.now();
const worker = spawn(process.execPath, [options.server, 'worker'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    PROVIDER: options.provider,
    MODEL_URI: 's3://weights/',
    MODEL_DIRECTORY: join(folder, 'model'),
    RESULTS_BUCKET: 'results',
    DRAW_QUEUE_URL: aws.queueUrl,
    IDLE_SECONDS: '1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: aws.url,
    AWS_ENDPOINT_URL_SQS: aws.url,
  },
});
const failures: string[] = [];
createInterface(worker.stdout).on('line', (line) => {
  if (/"level":"(warn|error)"/.test(line)) failures.push(line);
});
const exited = new Promise<number | null>((done) => worker.once('close', done));
const ended = exited.then((code) =>
  Promise.reject(new Error(`the worker has ended with ${code}: ${failures.join('\n')}`)),
);
ended.catch(() => undefined);
try {
  // As it is after a wake: the request was there before the worker.
  await draw(0);
  const first = (performance.now() - started) / 1000;
  const warm: number[] = [];
  for (let seed = 1; seed <= Number(options.pictures); seed++) warm.push(await draw(seed));
  const code = await exited;
  const { seconds = {}, model, bytes_total } = states.at(-1) ?? {};
  const rows = Object.entries({ ...seconds, 'first result': first }).map(([name, at]) => [
    name,
    at.toFixed(2),
  ]);
  console.log(
    `\n${model} on ${options.provider}, ${((bytes_total ?? 0) / 1e6).toFixed(0)} MB, exit status ${code}\n`,
  );
  console.log(markdownTable([['over, seconds from the start of the process', 's'], ...rows]));
  console.log(
    `\nwarm, from message to result: ${(1000 * median(warm)).toFixed(0)} ms at the median of ${warm.length}`,
  );
  for (const line of failures) console.log(line);
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  worker.kill('SIGKILL');
  await aws.stop();
  rmSync(folder, { recursive: true });
}
