import { Command } from 'commander';
import { z } from 'zod';
import { AppError } from '../../errors/app-error.js';
import { assertLocal } from '../assert-local.js';
import { parseOptions } from '../parse-options.js';
import { withProgress } from '../progress.js';

const optionsSchema = z.object({
  from: z.string(),
  to: z.string(),
  taesd: z.string().optional(),
  dialect: z.enum(['standard', 'cuda'], { error: 'must be standard or cuda' }).default('standard'),
  precision: z.enum(['float32', 'float16'], { error: 'must be float32 or float16' }).default('float32'),
});

const FLAGS = { dialect: '--dialect', precision: '--precision' };

export function importCommand(): Command {
  return new Command('import')
    .description('make a bundle of a Stable Diffusion checkpoint in diffusers layout')
    .requiredOption('--from <DIR>', 'directory of the checkpoint')
    .requiredOption('--to <DIR>', 'directory of the bundle; an older bundle there is replaced')
    .option('--dialect <DIALECT>', 'standard, for every provider (default: standard)')
    .option('--precision <PRECISION>', 'of the arithmetic: float32 or float16 (default: float32)')
    .option('--taesd <DIR>', 'directory of an AutoencoderTiny, to be the decoder "taesd"')
    .action((options: unknown) => importBundle(options));
}

async function importBundle(values: unknown): Promise<void> {
  const options = parseOptions(optionsSchema, values, FLAGS);
  const { dialect, precision, ...places } = options;
  for (const [flag, place] of Object.entries(places)) assertLocal(`--${flag}`, place);
  if (dialect === 'cuda')
    throw new AppError('UNSUPPORTED', '--dialect cuda is not available yet: use standard');

  const { importCheckpoint } = await import('../../export/import-checkpoint.js');
  await withProgress(process.stderr, (progress) =>
    importCheckpoint({
      from: options.from,
      to: options.to,
      precision,
      ...(options.taesd === undefined ? {} : { taesd: options.taesd }),
      onProgress: (done, total) => progress.update('checking the files', done, total),
    }),
  );
  process.stdout.write(`${options.to}\n`);
}
