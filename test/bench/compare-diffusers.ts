/**
 * Times this project beside diffusers on PyTorch in one run, turn by turn, so that a machine whose speed
 * drifts treats both alike. Prints milliseconds per phase and the ratio of each pair.
 *
 *   node test/support/run-ts.mjs test/bench/compare-diffusers.ts --checkpoint DIR --bundle DIR --python PYTHON
 *     [--taesd DIR] [--steps N] [--runs N] [--channels-last]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import { largestDifference } from '../support/largest-difference.js';

const PROMPT = 'A tree in a field under the night sky';
const PHASES = ['text_encoder', 'unet', 'decoder', 'total'] as const;
type Times = Record<(typeof PHASES)[number], number>;

const { values: options } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    bundle: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    taesd: { type: 'string' },
    steps: { type: 'string', default: '1' },
    runs: { type: 'string', default: '5' },
    'channels-last': { type: 'boolean', default: false },
  },
});
const { checkpoint, bundle, python, taesd } = options;
if (!checkpoint || !bundle) throw new Error('--checkpoint and --bundle are needed');
const steps = Number(options.steps);
const runs = Number(options.runs);
const decoder = taesd ? 'taesd' : 'vae';

interface TheirTimes {
  readonly text_encoder_ms: number;
  readonly unet_step_ms: readonly number[];
  readonly decoder_ms: number;
  readonly total_ms: number;
}

/** The PyTorch process, which draws one picture for each line it reads. */
class Diffusers {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const args = [
      'test/bench/diffusers_bench.py',
      '--interactive',
      '--model',
      checkpoint as string,
      '--steps',
      `${steps}`,
    ];
    if (taesd) args.push('--taesd', taesd);
    if (options['channels-last']) args.push('--channels-last');
    this.#child = spawn(python, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#answers = createInterface({ input: this.#child.stdout as never })[Symbol.asyncIterator]();
  }

  async answer<T>(): Promise<T> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${python} test/bench/diffusers_bench.py ended: are its packages installed?`);
    return JSON.parse(value);
  }

  async run(seed: number, out: string): Promise<Times> {
    this.#child.stdin?.write(`${JSON.stringify({ prompt: PROMPT, seed, out })}\n`);
    const { text_encoder_ms, unet_step_ms, decoder_ms, total_ms } = await this.answer<TheirTimes>();
    const unet = unet_step_ms.reduce((sum, time) => sum + time, 0);
    return { text_encoder: text_encoder_ms, unet, decoder: decoder_ms, total: total_ms };
  }

  close(): void {
    this.#child.stdin?.end();
  }
}

async function draw(pipeline: TextToImage, seed: number): Promise<{ times: Times; image: RgbImage }> {
  const started = performance.now();
  const { images, milliseconds } = await pipeline.run({ prompt: PROMPT, steps, seed, images: 1, decoder });
  return { times: { ...milliseconds, total: performance.now() - started }, image: images[0] as RgbImage };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const scratch = mkdtempSync(join(tmpdir(), 'compare-'));
const diffusers = new Diffusers();
const settings = await diffusers.answer<Record<string, unknown>>();
const host = new SessionHost(pathToFileURL('dist/lib/runtime/session-worker.js'));
const pipeline = await TextToImage.load(await openBundle(bundle), host, { provider: 'cpu' }, [decoder]);
await draw(pipeline, 0);

const ours: Times[] = [];
const theirs: Times[] = [];
let difference = 0;
for (let run = 0; run < runs; run++) {
  const file = join(scratch, 'theirs.png');
  const { times, image } = await draw(pipeline, run);
  ours.push(times);
  theirs.push(await diffusers.run(run, file));
  difference = Math.max(difference, await largestDifference(image, file));
  process.stderr.write(
    `pair ${run + 1} of ${runs}: ${times.total.toFixed(0)} and ${theirs.at(-1)?.total.toFixed(0)} ms\n`,
  );
}
diffusers.close();
await host.close();
rmSync(scratch, { recursive: true });

const column = (text: string | number) => (typeof text === 'number' ? text.toFixed(0) : text).padStart(14);
console.log(JSON.stringify({ ...settings, decoder, runs }));
console.log(`largest difference of any pixel: ${difference} of 255`);
console.log('median ms'.padEnd(14) + ['this project', 'diffusers', 'ratio', 'of pairs'].map(column).join(''));
for (const phase of PHASES) {
  const pairs = ours.map((times, run) => times[phase] / (theirs[run] as Times)[phase]);
  const [a, b] = [median(ours.map((times) => times[phase])), median(theirs.map((times) => times[phase]))];
  const spread = `${Math.min(...pairs).toFixed(2)}-${Math.max(...pairs).toFixed(2)}`;
  console.log(phase.padEnd(14) + [column(a), column(b), column((a / b).toFixed(2)), column(spread)].join(''));
}
