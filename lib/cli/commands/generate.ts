import { Command } from 'commander';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { PROVIDERS } from '../../runtime/session-messages.js';
import { imageIssues, withImageDefaults } from '../../schemas/image-rules.js';
import { generateRequestSchema, promptSchema } from '../../schemas/request.js';
import { demoWords } from '../draw/demo-words.js';
import { drawHere } from '../draw/draw-here.js';
import { drawRemotely, type Service } from '../draw/draw-remotely.js';
import { MODEL_HELP } from '../draw/model-place.js';
import { isStdout } from '../draw/output.js';
import { formatOfName, nameOutputs } from '../draw/output-files.js';
import { readPicture } from '../draw/read-picture.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';
import { withProgress } from '../progress.js';

interface Options {
  readonly model?: string;
  readonly steps?: number | string;
  readonly seed?: number | string;
  readonly numImages?: number | string;
  readonly format?: string;
  readonly decoder?: string;
  readonly provider?: string;
  readonly image?: string;
  readonly strength?: number | string;
  readonly out?: string;
  readonly json?: boolean;
  readonly endpoint?: string;
  readonly apiKey?: string;
  readonly timeout?: number | string;
}

/** A day: no wake takes nearly as long. Seconds. */
const MAX_TIMEOUT_S = 86_400;
const timeout = { error: `must be seconds from 1 to ${MAX_TIMEOUT_S}` };

/** Where it is drawn elsewhere. */
const remoteSchema = z.object({
  timeout: z.number(timeout).min(1, timeout).max(MAX_TIMEOUT_S, timeout).optional(),
});

/** Where a picture is drawn on this machine. */
const localSchema = z.object({
  model: z.string().optional(),
  provider: z.enum(PROVIDERS, { error: 'must be cpu or cuda' }).default('cpu'),
});

const FLAGS = {
  provider: '--provider',
  prompt: 'PROMPT',
  num_steps: '--steps',
  seed: '--seed',
  num_images: '--num-images',
  output_format: '--format',
  decoder: '--decoder',
  image: '--image',
  strength: '--strength',
  timeout: '--timeout',
};

/** Locally an empty prompt is as good as any: the pipeline draws it as diffusers does. The picture has been read already. */
const localRequestSchema = generateRequestSchema.extend({
  prompt: promptSchema,
  image: z.custom<Uint8Array>().optional(),
});

export function generateCommand(): Command {
  return new Command('generate')
    .description('draw a picture from a prompt')
    .argument('<PROMPT>', 'what to draw; a prompt over 75 tokens is cut')
    .option('--model <PLACE>', MODEL_HELP)
    .option('--steps <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--seed <N>', 'same seed, same picture, on a CPU to the byte (default: random)', parseNumber)
    .option('--num-images <N>', '1 to 4 (default: 1)', parseNumber)
    .option('--format <FORMAT>', 'png, jpeg or webp (default: by the name of --out, else png)')
    .option('--decoder <DECODER>', 'vae, or taesd where the bundle has it (default: vae)')
    .option('--provider <PROVIDER>', 'cpu or cuda (default: cpu)')
    .option('--image <FILE>', 'PNG, JPEG or WebP to begin with, where the bundle has an encoder')
    .option(
      '--strength <S>',
      'how far from --image: above 0, at most 1 (default: 0.5, in 2 steps)',
      parseNumber,
    )
    .option('--out <FILE>', 'file to write, - for stdout (default: sd-turbo-SEED.png)')
    .option('--json', 'print one JSON object on stdout')
    .option('--endpoint <URL>', 'draw on a service: deployed, or started by "sd-turbo serve"')
    .option('--api-key <KEY>', 'key of that service (default: SD_TURBO_API_KEY)')
    .option('--timeout <SECONDS>', 'how long to wait for that service (default: 900)', parseNumber)
    .addHelpText('after', demoWords)
    .addHelpText('after', example('generate "a red house in the snow at sunset" --seed 7 --out house.png'))
    .action((prompt: string, options: Options) => generate(prompt, options));
}

async function generate(prompt: string, options: Options): Promise<void> {
  const service = parseService(options);
  const request = await parseRequest(prompt, options);
  const local = parseOptions(localSchema, options, FLAGS);
  const { randomSeed } = await import('../../random/random-seed.js');
  const seed = request.seed ?? randomSeed();
  const outputs = await nameOutputs(options.out, seed, request.output_format, request.num_images);
  const takesStdout = outputs.some(isStdout);
  if (takesStdout && options.json)
    throw new AppError(
      'INVALID_INPUT',
      `--json prints on stdout, where --out ${options.out} has the picture`,
    );
  const props = { request: { ...request, seed }, outputs };
  const drawing = await withProgress(process.stderr, (progress) =>
    service ? drawRemotely(props, service, progress) : drawHere(props, local, progress),
  );
  const result = { ...drawing, milliseconds: roundAll(drawing.milliseconds) };
  const said = options.json ? JSON.stringify(result) : result.files.join('\n');
  if (!takesStdout) process.stdout.write(`${said}\n`);
  if (result.tokens_cut > 0)
    process.stderr.write(`the prompt was too long: ${result.tokens_cut} tokens were cut\n`);
  for (const warning of result.warnings ?? []) process.stderr.write(`${warning}\n`);
}

/** @returns undefined where the picture is drawn here */
function parseService(options: Options): Service | undefined {
  const { endpoint, apiKey, model, provider } = options;
  const { timeout } = parseOptions(remoteSchema, options, FLAGS);
  if (endpoint === undefined) {
    for (const [flag, value] of Object.entries({ '--api-key': apiKey, '--timeout': timeout }))
      if (value !== undefined) throw new AppError('INVALID_INPUT', `${flag} goes with --endpoint`);
    return undefined;
  }
  if (model !== undefined)
    throw new AppError('INVALID_INPUT', '--model goes without --endpoint: the service has its own');
  if (provider !== undefined)
    throw new AppError('INVALID_INPUT', '--provider goes without --endpoint: the service has its own');
  if (!/^https?:\/\/[^/]/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new AppError('INVALID_INPUT', '--endpoint must be an http or https URL');
  }
  const key = apiKey ?? readEnvironment().apiKey;
  if (!key)
    throw new AppError('INVALID_INPUT', '--endpoint needs --api-key, or SD_TURBO_API_KEY in the environment');
  return { url: endpoint, apiKey: key, ...(timeout !== undefined && { timeoutMs: timeout * 1000 }) };
}

async function parseRequest(prompt: string, options: Options): Promise<z.infer<typeof localRequestSchema>> {
  const fields = {
    prompt,
    num_steps: options.steps,
    seed: options.seed,
    num_images: options.numImages,
    output_format: options.format ?? (options.out === undefined ? undefined : formatOfName(options.out)),
    decoder: options.decoder,
    image: options.image === undefined ? undefined : await readPicture('--image', options.image),
    strength: options.strength,
  };
  const defined = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const request = parseOptions(localRequestSchema, withImageDefaults(defined), FLAGS);
  const [issue] = imageIssues(request);
  if (issue)
    throw new AppError(
      'INVALID_INPUT',
      `--strength ${issue.message.replace(/image|num_steps/, (field) => FLAGS[field as keyof typeof FLAGS])}`,
    );
  return request;
}

function roundAll(milliseconds: Readonly<Record<string, number>>): Record<string, number> {
  const rounded = Object.entries(milliseconds).map(([phase, value]) => [phase, Math.round(value * 10) / 10]);
  return Object.fromEntries(rounded);
}
