import { Command } from 'commander';
import { z } from 'zod';
import type { TextToImage } from '../../pipeline/text-to-image.js';
import { DECODERS, generateRequestSchema } from '../../schemas/request.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';
import { withProgress } from '../progress.js';

const PROMPT = 'A tree in a field under the night sky';
const PHASES = ['text_encoder', 'unet', 'decoder', 'encode', 'other', 'total'] as const;
type Times = Record<(typeof PHASES)[number], number>;

const runs = 'must be an integer from 1 to 1000';
const optionsSchema = z.object({
  model: z.string().optional(),
  steps: generateRequestSchema.shape.num_steps,
  runs: z.int({ error: runs }).min(1, { error: runs }).max(1000, { error: runs }).default(5),
  decoder: z.enum(DECODERS).default('vae'),
  json: z.boolean().default(false),
});

const FLAGS = { steps: '--steps', runs: '--runs', decoder: '--decoder' };

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure how long a picture takes, phase by phase')
    .option('--model <DIR>', 'bundle (default: the demo model)')
    .option('--steps <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--runs <N>', 'counted runs after the first (default: 5)', parseNumber)
    .option('--decoder <DECODER>', 'vae or taesd (default: vae)')
    .option('--json', 'print one JSON object on stdout')
    .action((options: unknown) => bench(options));
}

async function bench(values: unknown): Promise<void> {
  const { model: folder, steps, runs, decoder, json } = parseOptions(optionsSchema, values, FLAGS);
  const { withLocalPipeline } = await import('../local-pipeline.js');
  const { encodeImage } = await import('../../image/encode-image.js');
  const measure = async (pipeline: TextToImage, seed: number): Promise<Times> => {
    const started = performance.now();
    const { images, milliseconds } = await pipeline.run({ prompt: PROMPT, steps, seed, images: 1, decoder });
    const drawn = performance.now();
    for (const image of images) await encodeImage(image, 'png');
    const ended = performance.now();
    const total = ended - started;
    const networks = milliseconds.text_encoder + milliseconds.unet + milliseconds.decoder;
    const encode = ended - drawn;
    return { ...milliseconds, encode, other: total - networks - encode, total };
  };
  const report = await withProgress(process.stderr, (progress) =>
    withLocalPipeline(folder, decoder, progress, async ({ pipeline, model, loadMilliseconds }) => {
      const first = await measure(pipeline, 0);
      const warm: Times[] = [];
      for (let run = 1; run <= runs; run++) {
        progress.update('measuring', run - 1, runs);
        warm.push(await measure(pipeline, run));
      }
      return { model, steps, decoder, runs, load: loadMilliseconds, first, warm: summarise(warm) };
    }),
  );
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(
    json ? `${JSON.stringify({ ...report, peakMemoryBytes })}\n` : table(report, peakMemoryBytes),
  );
}

interface Summary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

function summarise(times: readonly Times[]): Record<string, Summary> {
  const entries = PHASES.map((phase) => {
    const sorted = times.map((time) => time[phase]).sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] as number;
    return [phase, { min: at(0), median: at(0.5), max: at(1) }] as const;
  });
  return Object.fromEntries(entries);
}

interface Report {
  readonly model: string;
  readonly steps: number;
  readonly decoder: string;
  readonly runs: number;
  readonly load: number;
  readonly first: Times;
  readonly warm: Record<string, Summary>;
}

function table({ model, steps, decoder, runs, load, first, warm }: Report, peakMemoryBytes: number): string {
  const cell = (value: number) => value.toFixed(1).padStart(11);
  const rows = PHASES.map((phase) => {
    const { min, median, max } = warm[phase] as Summary;
    return phase.padEnd(14) + [first[phase], min, median, max].map(cell).join('');
  });
  return [
    `${model}, ${steps} step(s), decoder ${decoder}, ${runs} warm run(s); milliseconds`,
    ''.padEnd(14) + ['first', 'warm min', 'median', 'max'].map((title) => title.padStart(11)).join(''),
    ...rows,
    `load ${load.toFixed(0)} ms, peak memory ${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`,
    '',
  ].join('\n');
}
