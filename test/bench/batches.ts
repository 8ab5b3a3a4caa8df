/**
 * Times UNet and decoders with one to four pictures in one run, and prints a Markdown table: what
 * `lib/pipeline/images-per-run.ts` was chosen by. With --queues it times requests that wait for each other at the endpoint
 * instead, and what they gain by sharing such runs: what MAX_BATCH_SIZE's default was chosen by.
 *
 *   npm run build
 *   node test/support/run-ts.mjs test/bench/batches.ts --bundle DIR [--provider cuda] [--turns N] [--queues [--steps N]]
 */
import { cpus, loadavg } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { Provider } from '../../lib/runtime/session-messages.js';
import { markdownTable } from './markdown-table.js';
import { batchRows, measureBatches } from './measure-batches.js';
import { measureQueues, queueRows } from './measure-queues.js';

const { values: options } = parseArgs({
  options: {
    bundle: { type: 'string' },
    provider: { type: 'string', default: 'cpu' },
    turns: { type: 'string', default: '5' },
    queues: { type: 'boolean', default: false },
    steps: { type: 'string', default: '1' },
  },
});
const { bundle, queues } = options;
if (!bundle) throw new Error('--bundle is needed');
const [load] = loadavg() as [number];
const provider = options.provider as Provider;
const [turns, steps] = [Number(options.turns), Number(options.steps)];

async function batches(): Promise<string[][]> {
  const host = new SessionHost(pathToFileURL('dist/lib/runtime/session-worker.js'));
  try {
    return batchRows(await measureBatches(bundle as string, host, { provider }, turns));
  } finally {
    await host.close();
  }
}

const rows = queues ? queueRows(await measureQueues(bundle, { provider, steps, turns })) : await batches();
const day = new Date().toISOString().slice(0, 10);
const what = queues
  ? `eight requests of ${steps} step${steps > 1 ? 's' : ''} at once, milliseconds`
  : `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`;
console.log(`${cpus().length} x ${cpus()[0]?.model}, load ${load.toFixed(1)} before, ${day}, ${provider};`);
console.log(`medians of ${turns} turns, ${what}\n`);
console.log(markdownTable(rows));
