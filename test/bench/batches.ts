/**
 * Times UNet and decoders with one to four pictures in one run, and prints a Markdown table: what
 * `lib/pipeline/images-per-run.ts` was chosen by.
 *
 *   npm run build && node test/support/run-ts.mjs test/bench/batches.ts --bundle DIR [--provider cuda] [--turns N]
 */
import { cpus, loadavg } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { Provider } from '../../lib/runtime/session-messages.js';
import { markdownTable } from './markdown-table.js';
import { batchRows, measureBatches } from './measure-batches.js';

const { values: options } = parseArgs({
  options: {
    bundle: { type: 'string' },
    provider: { type: 'string', default: 'cpu' },
    turns: { type: 'string', default: '5' },
  },
});
if (!options.bundle) throw new Error('--bundle is needed');
const [load] = loadavg() as [number];
const host = new SessionHost(pathToFileURL('dist/lib/runtime/session-worker.js'));
const provider = options.provider as Provider;
const measured = await measureBatches(options.bundle, host, { provider }, Number(options.turns));
await host.close();
const day = new Date().toISOString().slice(0, 10);
console.log(`${cpus().length} x ${cpus()[0]?.model}, load ${load.toFixed(1)} before, ${day}, ${provider};`);
console.log(
  `medians of ${options.turns} turns, peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
);
console.log(markdownTable(batchRows(measured)));
