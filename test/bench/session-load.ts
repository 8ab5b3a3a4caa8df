/**
 * Times the making of a network's session, each in a fresh process: with the graph's path, so that ONNX Runtime maps the
 * weights' files into memory, beside the same files read into memory first and handed over. Prints a Markdown table.
 *
 *   node test/support/run-ts.mjs test/bench/session-load.ts --bundle DIR [--turns N]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import { readGraph } from '../support/graphs/run-graph.js';
import { markdownTable } from './markdown-table.js';
import { median } from './take-turns.js';

const WAYS = ['mapped', 'in memory'] as const;
type Way = (typeof WAYS)[number];
/** As graphs of the dialect `cuda` are loaded, and as those of `standard` are. */
const OPTIMISATIONS = ['disabled', 'all'] as const;
const NETWORKS = ['text_encoder', 'unet', 'vae_decoder'] as const;

const { values: options } = parseArgs({
  options: {
    bundle: { type: 'string' },
    turns: { type: 'string', default: '3' },
    child: { type: 'string' },
    network: { type: 'string' },
    optimisation: { type: 'string' },
  },
});
const { bundle, child } = options;
if (!bundle) throw new Error('--bundle is needed');

interface Made {
  readonly milliseconds: number;
  readonly peakMiB: number;
}

async function makeSession(way: Way, path: string, optimisation: string): Promise<Made> {
  const locations = new Set(
    readGraph(path).initializers.flatMap(({ data }) => ('location' in data ? [data.location] : [])),
  );
  const started = performance.now();
  const externalData = [];
  if (way === 'in memory') {
    for (const location of locations)
      externalData.push({ path: location, data: await readFile(join(dirname(path), location)) });
  }
  const session = await ort.InferenceSession.create(path, {
    graphOptimizationLevel: optimisation as (typeof OPTIMISATIONS)[number],
    logSeverityLevel: 4,
    ...(externalData.length > 0 ? { externalData } : {}),
  });
  const milliseconds = performance.now() - started;
  await session.release();
  return { milliseconds, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

function inFreshProcess(way: Way, network: string, optimisation: string): Made {
  const args = ['test/support/run-ts.mjs', 'test/bench/session-load.ts', '--bundle', bundle as string];
  args.push('--child', way, '--network', network, '--optimisation', optimisation);
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

if (child) {
  const path = join(bundle, options.network as string, 'model.onnx');
  console.log(JSON.stringify(await makeSession(child as Way, path, options.optimisation as string)));
} else {
  const rows = [['network', 'optimisation', ...WAYS.flatMap((way) => [`${way}, ms`, 'peak MiB'])]];
  const [load] = loadavg() as [number];
  for (const network of NETWORKS) {
    for (const optimisation of OPTIMISATIONS) {
      const made = new Map<Way, Made[]>(WAYS.map((way) => [way, []]));
      for (let turn = 0; turn < Number(options.turns); turn++) {
        for (const way of WAYS) made.get(way)?.push(inFreshProcess(way, network, optimisation));
      }
      const cells = [...made.values()].flatMap((each) => [
        median(each.map(({ milliseconds }) => milliseconds)).toFixed(0),
        Math.max(...each.map(({ peakMiB }) => peakMiB)).toFixed(0),
      ]);
      rows.push([network, optimisation, ...cells]);
    }
  }
  const { version } = JSON.parse(readFileSync('node_modules/onnxruntime-node/package.json', 'utf8'));
  const day = new Date().toISOString().slice(0, 10);
  console.log(
    `${basename(bundle)} on ${cpus().length} x ${cpus()[0]?.model}, load ${load.toFixed(1)} before, ${day},`,
  );
  console.log(`onnxruntime-node ${version}, provider cpu; medians of ${options.turns} turns\n`);
  console.log(markdownTable(rows));
}
