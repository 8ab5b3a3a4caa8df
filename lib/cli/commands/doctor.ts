import { Command } from 'commander';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { assertInstalled, DOCTOR_PACKAGES } from '../assert-installed.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { parseOptions } from '../parse-options.js';

/** The deploy's own defaults, and patterns: `infra/options/config.ts`. */
const DEFAULTS = {
  backend: 'sagemaker',
  stackName: 'sd-turbo',
  model: 'stabilityai/sd-turbo',
  revision: 'b261bac6fd2cf515557d5d0707481eafa0485ec2',
  taesd: 'madebyollin/taesd',
};

/** What the stack is made of where no type is named. */
export const INSTANCE_TYPES = { sagemaker: 'ml.g4dn.xlarge', ec2: 'g4dn.xlarge' } as const;

const repo = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be OWNER/NAME on Hugging Face');
const optionsSchema = z.object({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region such as us-east-1')
    .optional(),
  stackName: z.string().regex(/^[A-Za-z](-?[A-Za-z0-9]){0,39}$/, 'must be letters, digits and single dashes'),
  backend: z.enum(['sagemaker', 'ec2'], { error: 'must be sagemaker or ec2' }),
  instanceTypes: z
    .string()
    .regex(/^[\w-]+(\.[\w-]+)+(,[\w-]+(\.[\w-]+)+)*$/, 'must be types such as ml.g4dn.xlarge,ml.g5.xlarge')
    .optional(),
  model: repo,
  revision: z.string().min(1, 'must not be empty'),
  taesd: z.union([z.literal('none'), repo], { error: 'must be OWNER/NAME on Hugging Face, or none' }),
});

const FLAGS = {
  region: '--region',
  backend: '--backend',
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
    .option('--backend <NAME>', 'as -c backend: sagemaker or ec2', DEFAULTS.backend)
    .option(
      '--instance-types <LIST>',
      "as -c instanceType, -c fallbackInstanceTypes (default: the backend's)",
    )
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
  const { region, backend, stackName, model, revision, taesd, ...given } = parseOptions(
    optionsSchema,
    values,
    FLAGS,
  );
  assertInstalled('doctor', DOCTOR_PACKAGES);
  const instanceTypes = (given.instanceTypes ?? INSTANCE_TYPES[backend]).split(',');
  checkTypes(instanceTypes, backend);
  const { hub, containerBuilder: builder } = readEnvironment();
  // Clients of AWS that no other command loads.
  const [{ AwsAccount }, { AwsInstances }, { accountChecks }, { localChecks }, { examine }] =
    await Promise.all([
      import('../../doctor/aws/aws-account.js'),
      import('../../doctor/aws/aws-instances.js'),
      import('../../doctor/account-checks.js'),
      import('../../doctor/local-checks.js'),
      import('../../doctor/examine.js'),
    ]);
  const repositories = [
    { repo: model, revision, file: 'model_index.json' },
    ...(taesd === 'none' ? [] : [{ repo: taesd, revision: 'main', file: 'config.json' }]),
  ];
  const account = new AwsAccount(region);
  const instances = backend === 'ec2' ? { instances: new AwsInstances(region) } : {};
  const checks = [
    ...accountChecks({ account, stackName, instanceTypes, ...instances }),
    ...localChecks({ builder, architecture: process.arch, hub, repositories }),
  ];
  const failed = await examine(checks, (line) => process.stdout.write(`${line}\n`));
  if (failed > 0)
    throw new AppError('UNAVAILABLE', `a deploy would fail: ${failed} of ${checks.length} checks did`);
}

/** Endpoints have names of their own for the same machines. */
function checkTypes(types: readonly string[], backend: keyof typeof INSTANCE_TYPES): void {
  const isForEndpoint = backend === 'sagemaker';
  const wrong = types.find((type) => type.startsWith('ml.') !== isForEndpoint);
  if (wrong === undefined) return;
  const name = wrong.replace(/^ml\./, '');
  throw new AppError(
    'INVALID_INPUT',
    `--instance-types must be types of ${backend}: ${wrong} is ${isForEndpoint ? `ml.${name}` : name} there`,
  );
}
