import { Command } from 'commander';
import * as z from 'zod';
import { BUNDLE_KINDS, parsePlace, SOURCE_KINDS } from '../../weights/sources/place.js';
import { placeSchema } from '../../weights/sources/place-schema.js';
import { assertInstalled, HUB_PACKAGES, S3_PACKAGES } from '../assert-installed.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { parseOptions } from '../parse-options.js';
import { withProgress } from '../progress.js';
import { tellBytes } from '../tell-bytes.js';
import { tellRetries } from '../tell-retries.js';
import { untilStopped } from '../until-stopped.js';

const optionsSchema = z.object({
  from: placeSchema(SOURCE_KINDS),
  to: placeSchema(BUNDLE_KINDS),
  taesd: placeSchema(SOURCE_KINDS).optional(),
  encoder: z.boolean().optional(),
  revision: z.string().min(1, 'must not be empty').optional(),
  dialect: z.enum(['standard', 'cuda'], { error: 'must be standard or cuda' }).optional(),
  precision: z.enum(['float32', 'float16'], { error: 'must be float32 or float16' }).optional(),
  selfTest: z.boolean(),
});

const FLAGS = Object.fromEntries(Object.keys(optionsSchema.shape).map((name) => [name, `--${name}`]));

const PLACES = `
A PLACE is a directory, s3://BUCKET/PREFIX, or (to read from) hf:OWNER/NAME[@REVISION].
Hugging Face: HF_TOKEN is used when it is set, HF_ENDPOINT names a mirror.
S3: region and credentials are found as the AWS command line finds them.`;

export function importCommand(): Command {
  return new Command('import')
    .description(
      'make a bundle of a Stable Diffusion checkpoint in diffusers layout, or copy a finished bundle',
    )
    .requiredOption('--from <PLACE>', 'the checkpoint')
    .requiredOption('--to <PLACE>', 'the bundle; an older bundle there is replaced')
    .option('--revision <COMMIT>', 'of hf:OWNER/NAME: a commit, tag or branch (default: its main branch)')
    .option(
      '--dialect <DIALECT>',
      'standard, which runs everywhere, or cuda, for NVIDIA GPUs only (default: standard)',
    )
    .option(
      '--precision <PRECISION>',
      'of the arithmetic: float32 or float16 (default: float32; cuda is always float16)',
    )
    .option('--taesd <PLACE>', 'an AutoencoderTiny, to be the decoder "taesd"')
    .option('--encoder', "add the VAE's encoder: pictures can then begin with one (generate --image)")
    .option('--no-self-test', 'do not draw the picture with which each start of the model is compared')
    .addHelpText('after', PLACES)
    .addHelpText(
      'after',
      example('import --from hf:stabilityai/sd-turbo --taesd hf:madebyollin/taesd --to bundle'),
    )
    .action((options: unknown) => importBundle(options));
}

async function importBundle(values: unknown): Promise<void> {
  const options = parseOptions(optionsSchema, values, FLAGS);
  assertReachable(options);
  const { importWithSelfTest } = await import('../import/import-with-self-test.js');
  const { hub } = readEnvironment();
  await withProgress(process.stderr, (progress) => {
    const onProgress = tellBytes(progress, 'importing');
    const policy = { onRetry: tellRetries(progress) };
    return untilStopped(
      (signal) => importWithSelfTest({ ...options, onProgress }, { hub, signal, policy }, progress),
      () => progress.say('stopping, and leaving nothing half done; Ctrl-C again ends it at once'),
    );
  });
  process.stdout.write(`${options.to}\n`);
  process.stderr.write(`draw with it: ${drawCommand(options)}\n`);
}

/** To be pasted into a shell. */
function drawCommand({ to, dialect }: z.infer<typeof optionsSchema>): string {
  const place = /^[\w@%+=:,./-]+$/.test(to) ? to : `'${to.replaceAll("'", "'\\''")}'`;
  const provider = dialect === 'cuda' ? ' --provider cuda' : '';
  return `npx sd-turbo generate "a lighthouse on a beach in a storm" --model ${place}${provider}`;
}

/** @throws AppError where what a place needs is not installed */
function assertReachable({ from, to, taesd }: z.infer<typeof optionsSchema>): void {
  const places = [from, to, ...(taesd === undefined ? [] : [taesd])].map((text) =>
    parsePlace(text, SOURCE_KINDS),
  );
  if (places.some(({ kind }) => kind === 's3')) assertInstalled('s3://', S3_PACKAGES);
  if (places.some(({ kind }) => kind === 'hub')) assertInstalled('hf:', HUB_PACKAGES);
}
