/**
 * From process start to the first picture, phase by phase: the endpoint with an empty disk and its weights in S3,
 * beside diffusers loading the same checkpoint from the local disk. Credentials and AWS_ENDPOINT_URL_S3 come from
 * the environment.
 *
 *   node test/support/run-ts.mjs test/bench/cold-start.ts --model-uri s3://BUCKET/PREFIX
 *     [--checkpoint DIR --python PYTHON] [--runs N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EndpointProcess } from '../support/processes/endpoint-process.js';

const { values: options } = parseArgs({
  options: {
    'model-uri': { type: 'string' },
    checkpoint: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    runs: { type: 'string', default: '1' },
  },
});
const modelUri = options['model-uri'];
if (!modelUri) throw new Error('--model-uri is needed');

/** Seconds of each phase: `seconds` of the endpoint's status says when each was over. */
async function wake(uri: string): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'cold-start-'));
  const started = performance.now();
  const endpoint = new EndpointProcess([process.execPath, 'dist/functions/endpoint/server.js'], {
    PORT: '0',
    MODEL_URI: uri,
    MODEL_DIRECTORY: join(folder, 'model'),
    DEADLINE_SECONDS: '600',
  });
  try {
    const { state, seconds, error } = await endpoint.settled();
    if (state !== 'ready') throw new Error(error);
    const ready = performance.now();
    const response = await endpoint.draw({ prompt: 'A tree in a field under the night sky', seed: 0 });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
    const drawn = performance.now();
    const { starting = 0, downloading = 0, loading = 0, warming = 0 } = seconds;
    return {
      'boot and manifest': starting,
      download: downloading - starting,
      'load, what is left': loading - downloading,
      'warm-up': warming - loading,
      'first picture': (drawn - ready) / 1000,
      total: (drawn - started) / 1000,
    };
  } finally {
    endpoint.signal('SIGKILL');
    await endpoint.exited();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds from the start of Python to the first picture, its imports included. */
function wakeDiffusers(checkpoint: string): number {
  const args = [
    'test/bench/peers/diffusers_bench.py',
    '--model',
    checkpoint,
    '--warm-up',
    '0',
    '--runs',
    '1',
    '--channels-last',
  ];
  const started = performance.now();
  execFileSync(options.python, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return (performance.now() - started) / 1000;
}

const runs: Record<string, number>[] = [];
for (let run = 0; run < Number(options.runs); run++) {
  const phases = await wake(modelUri);
  if (options.checkpoint) phases['diffusers, local disk'] = wakeDiffusers(options.checkpoint);
  runs.push(phases);
}
for (const phase of Object.keys(runs[0] as Record<string, number>)) {
  console.log(phase.padEnd(24) + runs.map((run) => (run[phase] as number).toFixed(2).padStart(9)).join(''));
}
