import { Command } from 'commander';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { assertInstalled, DOCTOR_PACKAGES } from '../assert-installed.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { parseOptions } from '../parse-options.js';

/** The deploy's own defaults, and patterns: `infra/options/config.ts`. */
const DEFAULTS = {
  stackName: 'sd-turbo',
  instanceTypes: 'ml.g4dn.xlarge',
  model: 'stabilityai/sd-turbo',
  revision: 'b261bac6fd2cf515557d5d0707481eafa0485ec2',
  taesd: 'madebyollin/taesd',
};

const repo = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be OWNER/NAME on Hugging Face');
const optionsSchema = z.object({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region such as us-east-1')
    .optional(),
  stackName: z.string().regex(/^[A-Za-z](-?[A-Za-z0-9]){0,39}$/, 'must be letters, digits and single dashes'),
  instanceTypes: z
    .string()
    .regex(/^ml\.[\w.]+(,ml\.[\w.]+)*$/, 'must be types such as ml.g4dn.xlarge,ml.g5.xlarge'),
  model: repo,
  revision: z.string().min(1, 'must not be empty'),
  taesd: z.union([z.literal('none'), repo], { error: 'must be OWNER/NAME on Hugging Face, or none' }),
});

const FLAGS = {
  region: '--region',
  stackName: '--stack-name',
  instanceTypes: '--instance-types',
  model: '--model',
  revision: '--revision',
  taesd: '--taesd',
};

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what a first deploy to AWS would fail at, and what to do; changes nothing')
    .option('--region <REGION>', "to deploy to (default: the AWS CLI's)")
    .option('--stack-name <NAME>', 'as -c stackName', DEFAULTS.stackName)
    .option('--instance-types <LIST>', 'as -c instanceType, -c fallbackInstanceTypes', DEFAULTS.instanceTypes)
    .option('--model <REPO>', 'as -c model', DEFAULTS.model)
    .option('--revision <COMMIT>', 'as -c revision', DEFAULTS.revision)
    .option('--taesd <REPO>', 'as -c taesd', DEFAULTS.taesd)
    .addHelpText(
      'after',
      '\nCDK_DOCKER names the container builder. Credentials are found as the AWS CLI finds them.',
    )
    .addHelpText('after', example('doctor --region us-east-1'))
    .action((options: unknown) => examineAll(options));
}

async function examineAll(values: unknown): Promise<void> {
  const { region, stackName, instanceTypes, model, revision, taesd } = parseOptions(
    optionsSchema,
    values,
    FLAGS,
  );
  assertInstalled('doctor', DOCTOR_PACKAGES);
  const { hub, containerBuilder: builder } = readEnvironment();
  // Clients of AWS that no other command loads.
  const [{ AwsAccount }, { accountChecks }, { localChecks }, { examine }] = await Promise.all([
    import('../../doctor/aws-account.js'),
    import('../../doctor/account-checks.js'),
    import('../../doctor/local-checks.js'),
    import('../../doctor/examine.js'),
  ]);
  const repositories = [
    { repo: model, revision, file: 'model_index.json' },
    ...(taesd === 'none' ? [] : [{ repo: taesd, revision: 'main', file: 'config.json' }]),
  ];
  const account = new AwsAccount(region);
  const checks = [
    ...accountChecks({ account, stackName, instanceTypes: instanceTypes.split(',') }),
    ...localChecks({ builder, architecture: process.arch, hub, repositories }),
  ];
  const failed = await examine(checks, (line) => process.stdout.write(`${line}\n`));
  if (failed > 0)
    throw new AppError('UNAVAILABLE', `a deploy would fail: ${failed} of ${checks.length} checks did`);
}
