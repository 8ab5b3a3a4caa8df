import { Command } from 'commander';
import { AppError } from '../../errors/app-error.js';
import { type GenerateRequest, generateRequestSchema, promptSchema } from '../../schemas/request.js';
import { formatOfName, nameOutputs, writeOutput } from '../output-files.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';
import { type Progress, withProgress } from '../progress.js';

interface Options {
  readonly model?: string;
  readonly steps?: number | string;
  readonly seed?: number | string;
  readonly numImages?: number | string;
  readonly format?: string;
  readonly decoder?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly endpoint?: string;
  readonly apiKey?: string;
}

const FLAGS = {
  prompt: 'PROMPT',
  num_steps: '--steps',
  seed: '--seed',
  num_images: '--num-images',
  output_format: '--format',
  decoder: '--decoder',
};

/** Locally an empty prompt is as good as any: the pipeline draws it as diffusers does. */
const localRequestSchema = generateRequestSchema.extend({ prompt: promptSchema });

export function generateCommand(): Command {
  return new Command('generate')
    .description('draw a picture from a prompt')
    .argument('<PROMPT>', 'what to draw; a prompt over 75 tokens is cut')
    .option('--model <DIR>', 'bundle made by "sd-turbo import" (default: the demo model)')
    .option('--steps <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--seed <N>', 'same seed, same bytes (default: random)', parseNumber)
    .option('--num-images <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--format <FORMAT>', 'png, jpeg or webp (default: by the name of --out, else png)')
    .option('--decoder <DECODER>', 'vae, or taesd where the bundle has it (default: vae)')
    .option('--out <FILE>', 'file to write (default: sd-turbo-SEED.png)')
    .option('--json', 'print one JSON object on stdout')
    .option('--endpoint <URL>', 'draw on a deployed service (not available yet)')
    .option('--api-key <KEY>', 'key of that service')
    .action((prompt: string, options: Options) => generate(prompt, options));
}

async function generate(prompt: string, options: Options): Promise<void> {
  if (options.endpoint !== undefined) {
    throw new AppError(
      'UNSUPPORTED',
      '--endpoint is not available yet: without it the picture is drawn here',
    );
  }
  const request = parseRequest(prompt, options);
  const { randomSeed } = await import('../../random/random-seed.js');
  const seed = request.seed ?? randomSeed();
  const files = await nameOutputs(options.out, seed, request.output_format, request.num_images);
  const result = await withProgress(process.stderr, (progress) =>
    draw({ ...request, seed }, options.model, files, progress),
  );
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${files.join('\n')}\n`);
  if (result.tokens_cut > 0)
    process.stderr.write(`the prompt was too long: ${result.tokens_cut} tokens were cut\n`);
}

function parseRequest(prompt: string, options: Options): GenerateRequest {
  const fields = {
    prompt,
    num_steps: options.steps,
    seed: options.seed,
    num_images: options.numImages,
    output_format: options.format ?? (options.out === undefined ? undefined : formatOfName(options.out)),
    decoder: options.decoder,
  };
  return parseOptions(localRequestSchema, fields, FLAGS);
}

async function draw(
  request: GenerateRequest & { readonly seed: number },
  modelFolder: string | undefined,
  files: readonly string[],
  progress: Progress,
) {
  const { prompt, num_steps: steps, seed, num_images: images, output_format: format, decoder } = request;
  const { withLocalPipeline } = await import('../local-pipeline.js');
  const { encodeImage } = await import('../../image/encode-image.js');
  return withLocalPipeline(modelFolder, decoder, progress, async ({ pipeline, model, loadMilliseconds }) => {
    progress.say(`drawing in ${steps} step${steps === 1 ? '' : 's'}`);
    const started = performance.now();
    const drawn = await pipeline.run({ prompt, steps, seed, images, decoder });
    const encodeStarted = performance.now();
    // The prompt stays out: pictures travel further than their makers think.
    const text = { seed: String(seed), num_steps: String(steps), model };
    for (const [index, image] of drawn.images.entries()) {
      await writeOutput(files[index] as string, await encodeImage(image, format, text));
    }
    const ended = performance.now();
    const milliseconds = {
      load: loadMilliseconds,
      ...drawn.milliseconds,
      encode: ended - encodeStarted,
      total: ended - started,
    };
    return {
      seed,
      num_steps: steps,
      decoder,
      model,
      files,
      tokens_cut: drawn.truncated,
      milliseconds: roundAll(milliseconds),
    };
  });
}

function roundAll<T extends Record<string, number>>(milliseconds: T): T {
  const rounded = Object.entries(milliseconds).map(([phase, value]) => [phase, Math.round(value * 10) / 10]);
  return Object.fromEntries(rounded) as T;
}
