/**
 * One command for a machine with an NVIDIA GPU, Node and PyTorch with CUDA 13: makes a checkpoint of full size with
 * random weights, imports it for `cuda` and `standard`, checks the one against the other and which attention kernels
 * are taken, times both beside diffusers on PyTorch, estimates what a T4 would take, and times several pictures in one run.
 *
 *   npm ci && npm run build   # and from the repository's root:
 *   node test/support/run-ts.mjs test/gpu/run.ts --work DIR [--python PYTHON] [--turns N] [--peers NAME,...]
 *     [--checkpoint DIR --taesd DIR] [--tflops N --bandwidth GB/S] [--dry-run]
 *
 * ONNX Runtime's CUDA provider must lie beside onnxruntime-node's library: test/gpu/pack.sh brings it to a machine
 * without network. --tflops and --bandwidth are those of a GPU that is not in the tables here. --dry-run does every
 * step but those that need a GPU, on the CPU with a tiny checkpoint, and lowers `cuda` to operators that the CPU has.
 * Peers: standard, eager, channels_last, compile, taesd. Exit code 1 when a check fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gpuName, peakOf } from '../../lib/cli/bench/device-peak.js';
import { countWork } from '../../lib/export/count-work.js';
import type { NetworkName } from '../../lib/pipeline/bundle.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { Provider } from '../../lib/runtime/session-messages.js';
import { comparePeer, comparisonTitles, type Peer } from '../bench/compare-peer.js';
import { type Contestant, OpenPipeline, PythonContestant, type Times } from '../bench/contestants.js';
import { markdownTable } from '../bench/markdown-table.js';
import { batchRows, measureBatches } from '../bench/measure-batches.js';
import { measureQueues, queueRows } from '../bench/measure-queues.js';
import { median } from '../bench/take-turns.js';
import { askKernels, kernelProblems } from './attention-kernels.js';
import { type Bundles, checkNumbers, loweredRunner, sessionRunner } from './check-numbers.js';
import { type Device, estimatePhase, estimateRows, type PhaseEstimate, SEED_MS } from './estimate-t4.js';

/** GB/s, from NVIDIA's data sheets; the first name that is part of the device's counts. */
const BANDWIDTHS: readonly (readonly [string, number])[] = [
  ['T4', 320],
  ['V100', 900],
  ['A10', 600],
  ['A100', 1555],
  ['L40S', 864],
  ['L4', 300],
  ['H100 PCIe', 2000],
  ['H100', 3350],
  ['H200', 4800],
];

const { values: options } = parseArgs({
  options: {
    work: { type: 'string' },
    python: { type: 'string' },
    turns: { type: 'string', default: '20' },
    peers: { type: 'string', default: 'standard,eager,channels_last,compile,taesd' },
    checkpoint: { type: 'string' },
    taesd: { type: 'string' },
    tflops: { type: 'string' },
    bandwidth: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
  },
});
const work = resolve(options.work ?? fail('--work is needed: a folder for checkpoint and bundles, 8 GB'));
const dry = options['dry-run'];
const provider: Provider = dry ? 'cpu' : 'cuda';
const turns = Number(options.turns);
const worker = pathToFileURL('dist/lib/runtime/session-worker.js');
const problems: string[] = [];

function node(...args: readonly string[]): void {
  execFileSync(process.execPath, args, { stdio: ['ignore', 2, 2] });
}

/** What the caller has to change. */
function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function say(text: string): void {
  console.log(`\n${text}\n`);
}

async function findDevice(): Promise<Device> {
  // No CPU does this; what is derived from it in a dry run means nothing.
  if (dry) return { name: 'dry run', tflops: 1, gigabytesPerSecond: 50 };
  const name = await gpuName();
  if (name === undefined) fail('nvidia-smi shows no GPU: try --dry-run');
  const tflops = Number(options.tflops ?? peakOf(name));
  const known = BANDWIDTHS.find(([part]) => name.replaceAll('-', ' ').includes(part))?.[1];
  const gigabytesPerSecond = Number(options.bandwidth ?? known);
  if (Number.isNaN(tflops + gigabytesPerSecond)) fail(`${name}: --tflops and --bandwidth are needed`);
  return { name, tflops, gigabytesPerSecond };
}

/** Asked before minutes are spent on what it is compared with. @returns undefined where there is no PyTorch */
function findPython(): string | undefined {
  if (options.python === undefined) return undefined;
  const imports = spawnSync(options.python, ['-c', 'import diffusers, torch, transformers'], {
    encoding: 'utf8',
  });
  if (imports.status === 0) return options.python;
  const reason = imports.error?.message ?? imports.stderr.trim().split('\n').at(-1);
  const message = `--python ${options.python} cannot run diffusers (${reason})`;
  if (!dry) fail(message);
  process.stderr.write(`${message}: its peers are left out\n`);
  return undefined;
}

/** @returns folders of the checkpoint and the AutoencoderTiny */
function prepareCheckpoint(): { checkpoint: string; taesd: string } {
  if (options.checkpoint && options.taesd) return { checkpoint: options.checkpoint, taesd: options.taesd };
  const tiny = 'test/fixtures/family/sharded';
  if (dry) return { checkpoint: join(tiny, 'checkpoint'), taesd: join(tiny, 'checkpoint-taesd') };
  const made = { checkpoint: join(work, 'checkpoint'), taesd: join(work, 'taesd') };
  if (existsSync(join(made.taesd, 'config.json'))) return made;
  const reference = '../shared/reference/tokenizer';
  // Which words a prompt's ids stand for makes no difference to random weights.
  const tokenizer = existsSync(reference) ? reference : 'lib/demo-model/model/tokenizer';
  const script = ['test/support/run-ts.mjs', 'test/bench/checkpoint/make-checkpoint.ts'];
  node(...script, '--to', made.checkpoint, '--taesd', made.taesd, '--tokenizer', tokenizer);
  return made;
}

function importBundles({ checkpoint, taesd }: { checkpoint: string; taesd: string }): Bundles {
  const bundle = (name: string, ...args: string[]): string => {
    const to = join(work, name);
    const from = ['--from', resolve(checkpoint), '--taesd', resolve(taesd)];
    if (!existsSync(join(to, 'manifest.json')))
      node('lib/cli/sd-turbo.mjs', 'import', ...from, '--to', to, ...args);
    return to;
  };
  return {
    float32: bundle('float32'),
    float16: bundle('float16', '--precision', 'float16'),
    cuda: bundle('cuda', '--dialect', 'cuda'),
  };
}

async function printNumbers(bundles: Bundles): Promise<void> {
  const host = new SessionHost(worker);
  try {
    const errors = await checkNumbers(
      bundles,
      sessionRunner(host, provider),
      dry ? loweredRunner : undefined,
    );
    const rows = errors.map(({ network, float16, cuda, allowed }) => {
      if (!(cuda <= allowed))
        problems.push(`${network}: the dialect cuda is off by ${cuda}, allowed ${allowed}`);
      return [network, ...[float16, cuda, allowed].map((error) => error.toExponential(1))];
    });
    say('Root mean square error, in parts of the float32 result:');
    console.log(markdownTable([['network', 'standard float16', 'cuda', 'allowed'], ...rows]));
  } finally {
    await host.close();
  }
}

function printKernels(bundle: string): void {
  if (dry) {
    say('Attention kernels: not asked for, there is no GPU.');
    return;
  }
  const counts = askKernels(bundle);
  say('Attention kernels of one picture:');
  for (const [kernel, count] of counts) console.log(`${count} x ${kernel}`);
  problems.push(...kernelProblems(counts));
}

function peersOf(bundles: Bundles, { checkpoint, taesd }: { checkpoint: string; taesd: string }) {
  const precision = dry ? 'float32' : 'float16';
  const diffusers = (name: string, ...args: string[]) => {
    if (!python) return undefined;
    const script = ['test/bench/peers/diffusers_bench.py', '--interactive', '--model', checkpoint];
    const command = [python, ...script, '--device', provider, '--precision', precision, ...args];
    return () => PythonContestant.start(`diffusers, ${name}`, command);
  };
  const peers: Readonly<Record<string, (() => Promise<Peer>) | undefined>> = {
    standard: async () => {
      const pipeline = await OpenPipeline.open(bundles.float16, 1, { provider });
      const [vae] = await pipeline.contestants('standard, float16');
      return { ...(vae as Contestant), close: () => pipeline.close() };
    },
    eager: diffusers('eager'),
    channels_last: diffusers('channels_last', '--channels-last'),
    compile: diffusers('torch.compile', '--channels-last', '--compile'),
    taesd: diffusers('eager, TAESD', '--taesd', taesd),
  };
  return peers;
}

/** @returns milliseconds of each phase of ours, and what the ratio to eager PyTorch makes of the seed's time */
async function printSideBySide(bundles: Bundles, checkpoint: { checkpoint: string; taesd: string }) {
  const pipeline = await OpenPipeline.open(dry ? bundles.float32 : bundles.cuda, 1, { provider });
  const phases = new Map<NetworkName, number>();
  const fromSeed = new Map<string, number>();
  try {
    const ours = await pipeline.contestants('ours');
    const rows: (readonly string[])[] = [comparisonTitles(ours)];
    const peers = peersOf(bundles, checkpoint);
    for (const name of options.peers.split(',')) {
      const open = peers[name];
      if (!open) {
        process.stderr.write(`${name}: left out, there is no such peer, or no --python\n`);
        continue;
      }
      const compared = await comparePeer(ours, open, turns).catch((error: Error) => {
        problems.push(error.message);
      });
      if (!compared) continue;
      rows.push(compared.row);
      const of = (times: readonly Times[], phase: keyof Times) => median(times.map((each) => each[phase]));
      for (const [index, { decoder }] of ours.entries()) {
        const times = compared.ours[index] as readonly Times[];
        phases.set('text_encoder', of(times, 'text_encoder'));
        phases.set('unet', of(times, 'unet'));
        phases.set(decoder, of(times, 'decoder'));
        if (name === 'eager')
          fromSeed.set(decoder, (SEED_MS * of(times, 'total')) / of(compared.theirs, 'total'));
      }
    }
    say(
      `Side by side, milliseconds, one step, medians of ${turns} turns; ratio of medians (range of single turns):`,
    );
    console.log(markdownTable(rows));
  } finally {
    await pipeline.close();
  }
  return { phases, fromSeed };
}

/** What decides `lib/pipeline/images-per-run.ts`, and MAX_BATCH_SIZE's default. */
async function printBatches(bundle: string): Promise<void> {
  const host = new SessionHost(worker);
  try {
    const measured = await measureBatches(bundle, host, { provider }, turns);
    say(`Several pictures in one run, medians of ${turns} turns:`);
    console.log(markdownTable(batchRows(measured)));
  } finally {
    await host.close();
  }
  say(`Eight requests at once, milliseconds, medians of ${turns} turns:`);
  console.log(markdownTable(queueRows(await measureQueues(bundle, { provider, turns }))));
}

async function printEstimate(
  bundle: string,
  device: Device,
  { phases, fromSeed }: Awaited<ReturnType<typeof printSideBySide>>,
): Promise<void> {
  const estimates = new Map<string, PhaseEstimate>();
  for (const decoder of ['vae', 'taesd'] as const) {
    const counted = await countWork(bundle, `${decoder}_decoder`);
    const parts = { text_encoder: counted.text_encoder, unet: counted.unet, [decoder]: counted.decoder };
    for (const [name, operators] of Object.entries(parts)) {
      const measured = phases.get(name as NetworkName);
      if (measured !== undefined) estimates.set(name, estimatePhase(operators, measured, device));
    }
  }
  say(`What a T4 would take (see test/gpu/estimate-t4.ts), from ${device.name}:`);
  console.log(markdownTable(estimateRows(estimates)));
  for (const [decoder, milliseconds] of fromSeed)
    console.log(
      `\nFrom the ratio to eager PyTorch and the seed's ${SEED_MS} ms: ${milliseconds.toFixed(0)} ms, ${decoder}`,
    );
}

mkdirSync(work, { recursive: true });
const device = await findDevice();
const python = findPython();
const checkpoint = prepareCheckpoint();
const bundles = importBundles(checkpoint);
say(`${device.name}, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}`);
await printNumbers(bundles);
printKernels(bundles.cuda);
await printEstimate(bundles.cuda, device, await printSideBySide(bundles, checkpoint));
await printBatches(dry ? bundles.float32 : bundles.cuda);
say(problems.length === 0 ? 'Every check passed.' : `FAILED: ${problems.join('; ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
