/**
 * Times this project beside its peers in one run, turn by turn, on the CPU, and prints a Markdown table. In each turn
 * every one draws the same picture: this project with the VAE and (where the bundle has it) TAESD, and one peer.
 *
 *   npm run build && node test/support/run-ts.mjs test/bench/side-by-side.ts --checkpoint DIR --bundle DIR
 *     [--python PYTHON] [--taesd DIR] [--optimum DIR] [--sdcpp-python PYTHON] [--openvino-python PYTHON]
 *     [--peers NAME,...] [--steps N] [--turns N] [--chart FOLDER]
 *
 * PYTHON has torch, diffusers, transformers; --optimum is a bundle that optimum exported from the same checkpoint, run
 * by this project's pipeline on the same ONNX Runtime; the other Pythons have stable-diffusion-cpp-python, and openvino
 * beside what PYTHON has. Peers by name: eager, channels_last, compile, taesd, optimum, sdcpp, openvino and
 * openvino_default, whose precision is its own choice; those whose option is missing are left out. --chart draws
 * side-by-side-light.svg and -dark.svg there.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bar, drawChart, type Theme } from './charts/draw-chart.js';
import { comparePeer, comparisonTitles, type Peer, phaseCells } from './compare-peer.js';
import { type Contestant, OpenPipeline, PythonContestant, type Times } from './contestants.js';
import { markdownTable } from './markdown-table.js';
import { medians } from './take-turns.js';

const { values: options } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    bundle: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    taesd: { type: 'string' },
    optimum: { type: 'string' },
    'sdcpp-python': { type: 'string' },
    'openvino-python': { type: 'string' },
    chart: { type: 'string' },
    peers: { type: 'string' },
    steps: { type: 'string', default: '1' },
    turns: { type: 'string', default: '5' },
  },
});
const { checkpoint, bundle, python, taesd, optimum, chart } = options;
const { 'sdcpp-python': sdcppPython, 'openvino-python': openvinoPython } = options;
if (!checkpoint || !bundle) throw new Error('--checkpoint and --bundle are needed');
const [steps, turns] = [Number(options.steps), Number(options.turns)];

const diffusersWith = (program: string, name: string, ...args: string[]) => {
  const script = ['test/bench/peers/diffusers_bench.py', '--interactive', '--model', checkpoint];
  return () => PythonContestant.start(name, [program, ...script, '--steps', `${steps}`, ...args]);
};
const diffusers = (name: string, ...args: string[]) => diffusersWith(python, name, ...args);
const openvino = (name: string, precision: string) =>
  openvinoPython ? diffusersWith(openvinoPython, name, '--openvino', precision) : undefined;

const PEERS: Readonly<Record<string, (() => Promise<Peer>) | undefined>> = {
  eager: diffusers('diffusers, eager'),
  channels_last: diffusers('diffusers, channels_last', '--channels-last'),
  compile: diffusers('diffusers, torch.compile', '--channels-last', '--compile'),
  taesd: taesd
    ? diffusers('diffusers, channels_last, TAESD', '--channels-last', '--taesd', taesd)
    : undefined,
  optimum: optimum ? () => openOptimum(optimum) : undefined,
  sdcpp: sdcppPython
    ? () => {
        const script = ['test/bench/peers/sdcpp_bench.py', '--model', checkpoint, '--steps', `${steps}`];
        return PythonContestant.start('stable-diffusion.cpp', [sdcppPython, ...script]);
      }
    : undefined,
  openvino: openvino('OpenVINO, float32', 'float32'),
  openvino_default: openvino('OpenVINO, its default', 'default'),
};

async function openOptimum(folder: string): Promise<Peer> {
  const pipeline = await OpenPipeline.open(folder, steps, { provider: 'cpu' });
  const [vae] = await pipeline.contestants("optimum's export");
  return { ...(vae as Contestant), close: () => pipeline.close() };
}

const names = options.peers?.split(',') ?? Object.keys(PEERS);
const pipeline = await OpenPipeline.open(bundle, steps, { provider: 'cpu' });
const ours = await pipeline.contestants('this project');
const rows: (readonly string[])[] = [comparisonTitles(ours)];
/** Of ours, from all turns with all peers. */
const pooled = ours.map(() => [] as Times[]);
const bars: Bar[] = [];
const load = loadavg()[0] as number;
for (const name of names) {
  const start = PEERS[name];
  if (!start) {
    process.stderr.write(`${name}: left out, see the options\n`);
    continue;
  }
  try {
    const compared = await comparePeer(ours, start, turns);
    for (const [index, times] of compared.ours.entries()) pooled[index]?.push(...times);
    rows.push(compared.row);
    bars.push({ name: compared.row[0] as string, times: medians(compared.theirs), isOurs: false });
    process.stderr.write(`${compared.row.join(' | ')}\n`);
  } catch (error) {
    // What the other peers took is not to be lost.
    process.stderr.write(`${name}: ${(error as Error).message}\n`);
  }
}
for (const [index, { decoder }] of ours.entries())
  rows.push([`this project, ${decoder}`, ...phaseCells(pooled[index] as Times[]), ...ours.map(() => ''), '']);
await pipeline.close();

for (const [index, { decoder }] of ours.entries()) {
  const times = pooled[index] as Times[];
  const name = `this project, ${decoder === 'vae' ? 'VAE' : 'TAESD'}`;
  if (times.length > 0) bars.unshift({ name, times: medians(times), isOurs: true });
}
const { version } = JSON.parse(readFileSync('node_modules/onnxruntime-node/package.json', 'utf8'));
const machine = `${cpus().length} x ${cpus()[0]?.model}, load ${load.toFixed(1)} before`;
const day = new Date().toISOString().slice(0, 10);
console.log(
  `${machine}, ${day}, onnxruntime-node ${version}, Node ${process.versions.node}; ${steps} step(s);`,
);
console.log(`milliseconds, medians of ${turns} turns; ratio of medians (range of single turns);`);
console.log(
  'pixels: the largest difference from ours with the same decoder, of 255 (stable-diffusion.cpp has other noise)\n',
);
console.log(markdownTable(rows));

if (chart) {
  const pixels = `SD-Turbo at full size, random weights, 512 x 512, ${steps} step(s), medians of ${turns} turns`;
  const caption = [pixels, `${machine}, onnxruntime-node ${version}, ${day}`];
  mkdirSync(chart, { recursive: true });
  for (const theme of ['light', 'dark'] satisfies Theme[])
    writeFileSync(join(chart, `side-by-side-${theme}.svg`), drawChart({ bars, caption }, theme));
}
