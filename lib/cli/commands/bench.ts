import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { PROVIDERS } from '../../runtime/session-messages.js';
import { type Decoder, generateRequestSchema } from '../../schemas/request.js';
import type { HubLocation } from '../../weights/sources/hub/hub-location.js';
import { formatReport, makeReport, type PictureFlops } from '../bench/bench-report.js';
import { compareReports, formatComparison } from '../bench/compare-reports.js';
import { gpuName, peakOf } from '../bench/device-peak.js';
import { readReport } from '../bench/earlier-report.js';
import type { ColdTimes } from '../bench/measure-pipeline.js';
import { MODEL_HELP, modelPlace } from '../draw/model-place.js';
import { example } from '../example.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';
import { type Progress, withProgress } from '../progress.js';

const upTo = (max: number) => {
  const error = `must be an integer from 1 to ${max}`;
  return z.int({ error }).min(1, { error }).max(max, { error });
};
const peak = 'must be a number above 0';

const optionsSchema = z.object({
  model: z.string().optional(),
  steps: generateRequestSchema.shape.num_steps,
  runs: upTo(1000).default(5),
  cold: upTo(100).default(1),
  decoder: generateRequestSchema.shape.decoder,
  provider: z.enum(PROVIDERS, { error: 'must be cpu or cuda' }).default('cpu'),
  peak: z.number({ error: peak }).positive({ error: peak }).optional(),
  compare: z.string().optional(),
  json: z.boolean().default(false),
  coldOnly: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;

const FLAGS = Object.fromEntries(Object.keys(optionsSchema.shape).map((name) => [name, `--${name}`]));

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'measure how long a picture takes, phase by phase: cold, from the start of a process, and warm',
    )
    .option('--model <PLACE>', MODEL_HELP)
    .option('--steps <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--runs <N>', 'warm pictures (default: 5)', parseNumber)
    .option('--cold <N>', 'fresh processes, this one among them (default: 1)', parseNumber)
    .option('--decoder <DECODER>', 'vae or taesd (default: vae)')
    .option('--provider <PROVIDER>', 'cpu or cuda (default: cpu)')
    .option(
      '--peak <TFLOPS>',
      'what the device can do, for the share of it (default: of known GPUs, float16)',
      parseNumber,
    )
    .option('--compare <FILE>', 'show the medians beside those of an earlier run with --json, with ratios')
    .option('--json', 'print one JSON object on stdout')
    .addOption(new Option('--cold-only').hideHelp())
    .addHelpText('after', example('bench --model bundle --decoder taesd --runs 10'))
    .action((options: unknown) => bench(options));
}

async function bench(values: unknown): Promise<void> {
  const options = parseOptions(optionsSchema, values, FLAGS);
  const place = modelPlace(options.model);
  const earlier = options.compare === undefined ? undefined : await readReport(options.compare);
  const { measurePipeline } = await import('../bench/measure-pipeline.js');
  const start = performance.now();
  const { steps, decoder, provider, json, coldOnly } = options;
  const runs = coldOnly ? 0 : options.runs;
  await withProgress(process.stderr, async (progress) => {
    // A download is no part of a start.
    const model = place.kind === 'hub' ? await bring(place.location, progress) : options.model;
    const others = coldOnly ? [] : await measureOthers({ ...options, model }, progress);
    const measured = await measurePipeline({ ...options, model, runs, start }, progress);
    if (coldOnly) {
      process.stdout.write(`${JSON.stringify(measured.cold)}\n`);
      return;
    }
    const gpu = provider === 'cuda' ? await gpuName() : undefined;
    const machine = gpu ?? `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`;
    const report = makeReport({
      settings: { model: measured.model, provider, decoder, steps, machine, node: process.versions.node },
      cold: [...others, measured.cold],
      warm: measured.warm,
      flops: await countFlops(measured.folder, decoder, steps, progress),
      peakTflops: options.peak ?? (gpu === undefined ? undefined : peakOf(gpu)),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    });
    const compared = earlier && compareReports(earlier, report);
    if (json) {
      process.stdout.write(`${JSON.stringify({ ...report, ...(compared && { compared }) })}\n`);
      return;
    }
    process.stdout.write(formatReport(report));
    if (compared) process.stdout.write(`\n${formatComparison(compared, report, options.compare as string)}`);
  });
}

async function bring(location: HubLocation, progress: Progress): Promise<string> {
  const { hubBundle } = await import('../models/hub-bundle.js');
  return hubBundle(location, progress);
}

/** Cold starts of further processes, before this one has taken memory. */
async function measureOthers(options: Options, progress: Progress): Promise<ColdTimes[]> {
  const { model, steps, decoder, provider, cold } = options;
  const args = ['bench', '--cold-only', '--steps', `${steps}`, '--decoder', decoder, '--provider', provider];
  if (model !== undefined) args.push('--model', model);
  const times: ColdTimes[] = [];
  for (let run = 1; run < cold; run++) {
    progress.update('starting fresh processes', run - 1, cold - 1);
    const child = promisify(execFile)(process.execPath, [process.argv[1] as string, ...args]);
    const { stdout } = await child.catch((cause) => {
      const last = String(cause.stderr ?? cause)
        .trim()
        .split('\n')
        .at(-1);
      throw new AppError('INTERNAL', `a fresh process failed: ${last}`, { cause });
    });
    times.push(JSON.parse(stdout));
  }
  return times;
}

async function countFlops(
  folder: string,
  decoder: Decoder,
  steps: number,
  progress: Progress,
): Promise<PictureFlops | undefined> {
  const { countWork, flops } = await import('../../export/count-work.js');
  try {
    const work = await countWork(folder, `${decoder}_decoder`);
    return {
      text_encoder: flops(work.text_encoder),
      unet: steps * flops(work.unet),
      decoder: flops(work.decoder),
    };
  } catch (error) {
    // A bundle of another exporter may run and yet be of no architecture that is known here.
    if (!(error instanceof AppError)) throw error;
    progress.say(`the work cannot be counted: ${error.message}`);
    return undefined;
  }
}
